#pragma once

#include "actors/sn/sn_context.hpp"
#include "actors/supervision/child_spec.hpp"

namespace swarm::actors {

/// /sn/consensus: the shell of the QBFT machine (ledger/consensus) and of the catching-up machine
/// (ledger/sync). What they want of the chain goes to /sn/chain, what they say to others goes to /sn/peers.
start_function consensus_actor(std::shared_ptr<const sn_context> context);

} // namespace swarm::actors
