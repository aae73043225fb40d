#pragma once

#include "config/sources/raw.hpp"

#include <optional>
#include <span>

namespace swarm::config {

/// The command line, taken apart but not yet converted.
struct flag_values {
  layer settings;
  std::vector<std::string> roles;
  std::optional<std::string> profile;
  bool check = false;
  bool health = false;
  bool verify_store = false;
  bool repair = false;
  bool version = false;
  bool help = false;
  std::vector<std::string> notes; ///< flags that are accepted and not needed
};

/// "--name value" and "--name=value", names in any case. Mistakes are added to `found`.
flag_values read_flags(std::span<const std::string> args, problems& found);

/// The text of --help.
std::string help_text();

} // namespace swarm::config
