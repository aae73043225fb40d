#pragma once

#include "actors/sn/messages.hpp"
#include "actors/sn/sn_context.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

/// Start function of /sn/chain: owns the ledger, answers JSON-RPC, makes blocks. Detached, as it waits for
/// the disk. The only validator, it makes a block as soon as a transaction waits; what arrives meanwhile goes
/// into the next.
start_function chain_actor(std::shared_ptr<const sn_context> context);

} // namespace swarm::actors
