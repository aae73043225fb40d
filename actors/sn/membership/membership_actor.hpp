#pragma once

#include "actors/sn/sn_context.hpp"
#include "actors/supervision/child_spec.hpp"

namespace swarm::actors {

/// /sn/membership: the shell of the membership machine. Reads the chain and sends transactions through
/// /sn/chain, tells the hub whom to dial, and asks the sentinel for the network when there is no chain.
/// Answers the admin method "leave".
start_function membership_actor(std::shared_ptr<const sn_context> context);

} // namespace swarm::actors
