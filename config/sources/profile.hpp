#pragma once

#include "config/sources/raw.hpp"

namespace swarm::config {

/// A YAML profile, taken apart but not yet converted. Schema: config/profile.schema.json.
struct profile {
  layer common; ///< keys at the top: for every role of the host that knows them
  /// The sections by the role's name, with a layer for each role of that kind. Roles that the profile does
  /// not name are absent.
  std::map<std::string_view, std::vector<layer>> roles;

  /// The section of a role, or null.
  const std::vector<layer>* section(std::string_view role) const {
    const auto found = roles.find(role);
    return found == roles.end() ? nullptr : &found->second;
  }
};

/// Takes `text` apart. `file` is the path as the user gave it; its folder is where relative paths begin.
/// Mistakes are added to `found`; only a text that is no YAML mapping at all fails.
result<profile> read_profile(std::string_view text, const std::filesystem::path& file, problems& found);

} // namespace swarm::config
