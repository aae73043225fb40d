#pragma once

#include <string_view>

namespace swarm::shim {

/// Runs the program of a specification, with this process's environment and output, in a sandbox that ends with this
/// process; which ends with the thread of `parent` that has started it. Returns the program's exit status, as in a
/// shell; 125 when there was no sandbox.
int run_tied(std::string_view parent, std::string_view specification);

} // namespace swarm::shim
