#pragma once

#include "actors/sl/sl_context.hpp"
#include "actors/sn_client/messages.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

/// Start function of /sl/network: this node's client of its SN. One WebSocket carries JSON-RPC both ways.
/// Registers the node, signs and sends its transactions in nonce order, sends them again after a lost
/// connection, follows the training contract, and says it is alive. Tries for ever to reach its SN, and says
/// so while it cannot.
start_function network_actor(std::shared_ptr<const sl_context> context);

} // namespace swarm::actors
