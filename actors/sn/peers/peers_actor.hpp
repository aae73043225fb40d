#pragma once

#include "actors/sn/sn_context.hpp"
#include "actors/supervision/child_spec.hpp"

namespace swarm::actors {

/// /sn/peers: the connections to other SNs (transport/p2p). Hands what they say to /sn/consensus and
/// /sn/chain and carries what those say to them.
start_function peers_actor(std::shared_ptr<const sn_context> context);

} // namespace swarm::actors
