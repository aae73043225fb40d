#pragma once

#include "actors/sl/messages.hpp"
#include "actors/sl/sl_context.hpp"
#include "actors/supervision/child_spec.hpp"

namespace swarm::actors {

/// The actor that makes parts of a proposed merge again, under a supervisor that starts it again once. It sends
/// `check_done` to `/sl/follower`.
child_spec checker_spec(std::string name, std::shared_ptr<const sl_context> context, rounds::check_task task);

} // namespace swarm::actors
