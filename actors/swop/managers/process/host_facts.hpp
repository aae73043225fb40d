#pragma once

#include "actors/swop/managers/process/sandbox.hpp"
#include "base/result.hpp"

#include <filesystem>

namespace swarm::managers {

/// Looks at this host. `bwrap` is tried once; what it can do is in the facts.
host_facts look_at_host(const std::filesystem::path& bwrap);

/// Where bubblewrap is installed: only in folders of the system, as it may be started by root. Fails with
/// manager_errc::not_installed.
result<std::filesystem::path> find_bwrap();

/// Tries an empty sandbox. Fails with manager_errc::forbidden; the message says what on this host forbids it and what
/// to enable.
result<> try_sandbox(const std::filesystem::path& bwrap);

} // namespace swarm::managers
