#pragma once

#include "config/raw.hpp"

#include <optional>

namespace swarm::config {

/// A YAML profile, taken apart but not yet converted. Schema: config/profile.schema.json.
struct profile {
  layer common;                         ///< keys at the top: for every role of the host that knows them
  std::optional<std::vector<layer>> sn; ///< absent when the profile does not name the role
  std::optional<std::vector<layer>> sl;
};

inline constexpr std::size_t roles_max = 256;

/// Takes `text` apart. `file` is the path as the user gave it; its folder is where relative paths begin.
/// Mistakes are added to `found`; only a text that is no YAML mapping at all fails.
result<profile> read_profile(std::string_view text, const std::filesystem::path& file, problems& found);

} // namespace swarm::config
