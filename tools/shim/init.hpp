#pragma once

#include "tools/shim/protocol.hpp"

namespace swarm::shim {

/// The first process in a sandbox: starts the program, hands SIGTERM on, waits for every orphan, and says how the
/// program ended. Nothing of the sandbox outlives it.
int run_init(bool counts);

} // namespace swarm::shim
