#pragma once

#include "actors/swop/managers/manager.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace swarm::managers {

struct process_manager_options {
  std::filesystem::path folder; ///< where programs are kept, one folder each; made with 0700
  std::filesystem::path shim;   ///< the program swarm-shim; empty for the one beside this program
  /// What no mount may show: the node's data directory with its key and its socket. `folder` is always among them.
  std::vector<std::filesystem::path> hidden;
  /// What may be mounted although it lies in something hidden: the volumes.
  std::vector<std::filesystem::path> volumes;
  std::uint32_t uid = 0; ///< as which `check` tries a sandbox, when this process is root
  std::uint32_t gid = 0;
  std::chrono::milliseconds start_patience{30'000};
};

/// The manager PROCESS: each program in a sandbox made by bubblewrap, with a `swarm-shim` as its parent, which goes on
/// when this process is killed. `on_change` is called from a thread of the manager's when a program has ended.
result<std::unique_ptr<manager>> make_process_manager(process_manager_options options,
                                                      std::function<void(const std::string& name)> on_change);

} // namespace swarm::managers
