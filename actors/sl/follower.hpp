#pragma once

#include "actors/interfaces.hpp"
#include "actors/sl/sl_context.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

/// Start function of /sl/follower: this node's part in each round. A shell around `rounds::peer_machine`:
/// brings it events, carries out its actions through the neighbouring actors.
start_function follower_actor(std::shared_ptr<const sl_context> context);

} // namespace swarm::actors
