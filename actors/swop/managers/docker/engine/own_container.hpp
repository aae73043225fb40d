#pragma once

#include "actors/swop/managers/docker/engine/client.hpp"

#include <filesystem>

namespace swarm::engine {

/// Where paths of this process lie on the engine's host, when this process is in a container of that engine.
class own_mounts {
public:
  explicit own_mounts(std::vector<container_mount> mounts) : mounts_(std::move(mounts)) {}

  /// None: it is in no mount, so that nobody else can have it.
  std::optional<std::filesystem::path> on_host(const std::filesystem::path& inside) const;
  /// The reverse. None: this process cannot see it.
  std::optional<std::filesystem::path> inside(const std::filesystem::path& on_host) const;

private:
  std::optional<std::filesystem::path> moved(const std::filesystem::path& what,
                                             std::string container_mount::*from,
                                             std::string container_mount::*to) const;

  std::vector<container_mount> mounts_;
};

/// The mounts of the container that this process is in; none when it is in none that the engine knows. Fails when the
/// engine does not answer.
result<std::optional<own_mounts>> find_own_mounts(client& of);

/// The identifier in the text of /proc/self/mountinfo: engines keep the files that they mount into a container, such as
/// /etc/hostname, in a folder that has it as its name. Empty when there is none.
std::string container_id_in(std::string_view mountinfo);

} // namespace swarm::engine
