#pragma once

#include "actors/sl/messages.hpp"
#include "actors/sl/sl_context.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

/// Start function of the merge actor of one round and term, which fetches the contributors' models,
/// checks them, merges them on TBB, sends `merge_done` to the follower and ends. It is detached, as a
/// merge may take long.
start_function leader_actor(std::shared_ptr<const sl_context> context, rounds::action::start_merge task);

} // namespace swarm::actors
