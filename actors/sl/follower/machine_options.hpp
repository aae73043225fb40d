#pragma once

#include "actors/sl/rounds/peer_machine.hpp"
#include "actors/sl/sl_context.hpp"

namespace swarm::actors {

/// Of a new machine of this SL.
rounds::machine_options machine_options_of(const sl_context& context);

} // namespace swarm::actors
