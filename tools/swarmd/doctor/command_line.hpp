#pragma once

#include "base/result.hpp"

#include <span>
#include <string>
#include <vector>

namespace swarm::doctor {

/// What of the command line is doctor's own; the rest is swarmd's.
struct command_line {
  bool help = false;
  bool json = false;
  std::string process; ///< the number of one whose arguments come before `rest`; empty: none
  std::string program;
  unsigned program_seconds = 60;
  std::string python; ///< empty: python3
  std::vector<std::string> rest;
};

/// Fails with errc::invalid.
result<command_line> read_command_line(std::span<const std::string> args);
std::string_view help_text();

} // namespace swarm::doctor
