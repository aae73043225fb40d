#pragma once

#include "actors/swci/commands/world.hpp"
#include "contracts/taskrunner/interface.hpp"

namespace swarm::swci {

/// Asks a SWOP for what the failed programs of its part, or all of them, wrote last, and puts that into the answer, or in a word why it
/// is not to be had. Takes a few seconds at most, and never fails.
void add_last_lines(answers::taskrunner_peer_status& to, command_world& world, const address& taskrunner,
                    const contracts::swop_view& swop);

} // namespace swarm::swci
