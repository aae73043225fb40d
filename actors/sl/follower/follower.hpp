#pragma once

#include "actors/sl/messages.hpp"
#include "actors/sl/sl_context.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

/// How long /sl/follower may take to leave the training when it is told to stop.
inline constexpr std::chrono::milliseconds follower_stop_max{3000};

/// Start function of /sl/follower, this node's part in each round. It is a shell around
/// `rounds::peer_machine`: it brings events and carries out actions by way of its sibling actors. When it is
/// told to stop, it leaves the training first. After a process died in mid-session, the next one leaves at
/// its start; the file `session` in the data directory names the contract.
start_function follower_actor(std::shared_ptr<const sl_context> context);

} // namespace swarm::actors
