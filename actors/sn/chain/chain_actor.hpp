#pragma once

#include "actors/sn/messages.hpp"
#include "actors/sn/sn_context.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

/// Start function of /sn/chain, which owns the ledger and makes blocks when consensus wants them. It is
/// detached, as it waits for the disk.
start_function chain_actor(std::shared_ptr<const sn_context> context);

} // namespace swarm::actors
