#pragma once

#include "actors/sn/sn_context.hpp"
#include "actors/supervision/child_spec.hpp"

namespace swarm::actors {

/// /sn/peers/hub: the connections to other SNs (transport/p2p). Starts and ends an actor for each of these
/// SNs and passes its messages on to it. Messages to all of them, and those of consensus, go from here
/// straight to the sockets.
start_function hub_actor(std::shared_ptr<const sn_context> context);

} // namespace swarm::actors
