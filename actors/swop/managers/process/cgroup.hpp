#pragma once

#include "actors/swop/managers/process/state.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace swarm::managers {

/// The folder of this process's own cgroup (version 2), if it was given to this process's user to divide: systemd
/// marks such a cgroup (Delegate=yes); in a container it is the root of what is to be seen. Nothing otherwise.
std::optional<std::filesystem::path> delegated_cgroup();

/// A cgroup for the processes of one program, below `parent`, with what can be limited there. Fails when not even an
/// empty one can be made; a limit that the kernel does not take is left to the caller (see `limits`).
struct program_cgroup {
  cgroup_id id;
  bool limits_memory = false;
  bool limits_processes = false;
  bool limits_cpu = false;
};
result<program_cgroup> make_cgroup(const std::filesystem::path& parent, std::string_view name,
                                   const program_limits& limits);

/// Whether the kernel killed a process in it for want of memory.
bool ran_out_of_memory(const cgroup_id& id);

/// Kills all that is in it and deletes it, if it is still the one that was made. False while it is still there.
bool remove_cgroup(const cgroup_id& id);

} // namespace swarm::managers
