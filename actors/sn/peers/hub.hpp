#pragma once

#include "actors/sn/sn_context.hpp"
#include "actors/supervision/child_spec.hpp"

namespace swarm::actors {

/// /sn/peers/hub: the connections to other SNs (transport/p2p). Starts and ends an actor for each of these
/// SNs and passes on to it what is for it. What is for all of them, and what consensus says, takes the short
/// way from here to the sockets.
start_function hub_actor(std::shared_ptr<const sn_context> context);

} // namespace swarm::actors
