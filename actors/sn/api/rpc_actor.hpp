#pragma once

#include "actors/sn/messages.hpp"
#include "actors/sn/sn_context.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

/// Start function of /sn/rpc, the shell of rpc::service: takes the texts of clients apart, gives their
/// transactions to /sn/chain and what they read to /sn/reader, keeps those who wait for receipts or have
/// subscribed, and knows who is alive.
start_function rpc_actor(std::shared_ptr<const sn_context> context);

/// Start function of /sn/reader, the shell of rpc::reader.
start_function reader_actor(std::shared_ptr<const sn_context> context);

} // namespace swarm::actors
