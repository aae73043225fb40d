#pragma once

#include <span>
#include <string>

namespace swarm::doctor {

/// `swarmd doctor ARGS`: says on standard output whether this host and its SN are ready for the node that ARGS would
/// start. 0: nothing is wrong; 1: something is. Nothing is registered, written to the chain or left behind.
int run(std::span<const std::string> args);

} // namespace swarm::doctor
