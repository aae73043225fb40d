#pragma once

#include "actors/sl/messages.hpp"
#include "actors/sl/sl_context.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

/// How long /sl/follower may take to leave the training when it is told to stop.
inline constexpr std::chrono::milliseconds follower_stop_max{3000};

/// Start function of /sl/follower: this node's part in each round. A shell around `rounds::peer_machine`:
/// brings it events, carries out its actions through the neighbouring actors. Detached: it waits for the disk
/// before a transaction refers to what is there. Told to stop, it leaves the
/// training first; after a death in mid-session it does so at its next start, for which the file `session` in
/// the data directory names the contract.
start_function follower_actor(std::shared_ptr<const sl_context> context);

} // namespace swarm::actors
