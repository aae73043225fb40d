#pragma once

#include "actors/swop/managers/program_spec.hpp"
#include "base/result.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace swarm::build {

/// A program to be run to its end. Nothing is taken over from this process: the environment is exactly this one.
struct child_command {
  std::vector<std::string> words; ///< the program first; it is looked for in PATH of `environment`
  std::map<std::string, std::string, std::less<>> environment;
  std::filesystem::path folder; ///< in which it runs
  /// What it needs of this host beside the system, should it be put into a sandbox.
  std::vector<managers::mount> mounts;
};

struct child_limits {
  std::chrono::steady_clock::time_point deadline;
  /// Between being asked to end and being killed.
  std::chrono::milliseconds grace{3000};
};

enum class child_errc { not_started = 1, stopped, out_of_time };
constexpr std::string_view error_category(child_errc) {
  return "child";
}

struct child_end {
  int exit_code = 0;     ///< of a killed one: 128 and the signal's number, as in a shell
  std::string last_line; ///< of its output that is not blank
};

/// Runs a program in a process group of its own and hands each line of its output (both streams) to `on_line`. Lines
/// are cut at 4096 bytes. When it returns, no process of the group is left, nor of a sandbox that the group made; a
/// stop or the deadline ends the group.
result<child_end> run_child(const child_command& what, const child_limits& limits,
                            const std::stop_token& stop,
                            const std::function<void(std::string_view)>& on_line);

} // namespace swarm::build
