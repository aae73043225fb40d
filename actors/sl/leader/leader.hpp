#pragma once

#include "actors/sl/messages.hpp"
#include "actors/sl/sl_context.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

/// The merge of one round and term, as a child of `/sl`: a supervisor with one actor, `merge`, which fetches the
/// contributors' models, checks them, merges them on TBB, sends `merge_done` to the follower and ends. It is
/// detached, as a merge may take long. One that dies is started again once, and finds the models that had come;
/// when it dies again its supervisor gives up, so that the follower leaves the term to the next leader.
child_spec leader_spec(std::string name, std::shared_ptr<const sl_context> context,
                       rounds::action::start_merge task);

} // namespace swarm::actors
