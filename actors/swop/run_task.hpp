#pragma once

#include "actors/supervision/role_actor.hpp"
#include "actors/swop/messages.hpp"
#include "actors/swop/swop_context.hpp"

namespace swarm::actors {

/// The child `/swop/task:NAME`: one part of a run on this host, the shell of task/task_machine.hpp. It blocks while it
/// starts programs, so it has a thread of its own; builds and downloads have another one. Ended by a crash, it finds its
/// programs as they are and goes on.
child_spec task_child(std::shared_ptr<const swop_context> context, part_order order);

/// "task:" and the task's name, as far as it makes an actor's name.
std::string task_actor_name(std::string_view task);

} // namespace swarm::actors
