#pragma once

#include "actors/swop/managers/docker/engine/client.hpp"
#include "actors/swop/managers/manager.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace swarm::managers {

struct docker_manager_options {
  std::shared_ptr<engine::client> engine;
  /// Who the containers belong to: the SWOP's account. Containers of others are never listed and never touched.
  std::string owner;
  std::filesystem::path folder; ///< for notes about programs, see `program_notes`; made with 0700
  std::string prefix = "swop-"; ///< of the names of containers that the specification does not name
  /// What no mount may show, and what may be mounted although it lies in something hidden.
  std::vector<std::filesystem::path> hidden, shown;
  /// False: the engine's host is another place than where this process is, and sources of mounts are paths there.
  bool paths_are_here = true;
};

/// The manager DOCKER: each program in a container of the engine. Containers belong to this manager by two labels,
/// `swarmd.owner` and `swarmd.program`. `on_change` is called from a thread of the manager's when a program has ended,
/// as the engine's events say, and after the engine was away for all that have ended meanwhile.
result<std::unique_ptr<manager>> make_docker_manager(docker_manager_options options,
                                                     std::function<void(const std::string& name)> on_change);

} // namespace swarm::managers
