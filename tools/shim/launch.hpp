#pragma once

#include "actors/swop/managers/process/cgroup.hpp"
#include "actors/swop/managers/process/sandbox.hpp"
#include "base/file.hpp"

#include <filesystem>

namespace swarm::shim {

/// A sandbox that is coming up.
struct launched {
  int bwrap = 0;  ///< the process of bubblewrap, a child of this one
  unique_fd init; ///< the socket to the first process within
};

/// Starts bubblewrap with the program's rights; what the program writes goes to `output`. Fails with manager_errc::io when this process lacks something; what
/// bubblewrap does not like it says in the output.
result<launched> launch(const managers::program_spec& spec, const managers::host_facts& host,
                        const std::filesystem::path& bwrap,
                        const std::optional<managers::program_cgroup>& cgroup, int output);

/// Whether the sandbox's first process counts the program's: the kernel limits no processes of the host's root.
bool counts_processes(const managers::program_spec& spec);

/// Lets the sandbox's first process, which counts, run before the processes that it counts, as far as the host allows it.
void run_before_others(int pid);

/// Takes on the rights of a program, for good; a process that is not root keeps its own. False when it cannot.
bool drop_rights(std::uint32_t uid, std::uint32_t gid);

} // namespace swarm::shim
