#pragma once

#include "actors/sn/messages.hpp"
#include "actors/sn/sn_context.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

/// Start function of /sn/api: HTTPS and WSS with client certificates. POST / takes JSON-RPC, a WebSocket
/// carries it both ways, GET /is_up answers OK. Requests go to /sn/rpc, answers come back from there or from
/// /sn/reader without passing here again.
start_function api_actor(std::shared_ptr<const sn_context> context);

} // namespace swarm::actors
