#pragma once

#include "actors/sl/messages.hpp"
#include "actors/sl/sl_context.hpp"
#include "actors/supervision/child_spec.hpp"

namespace swarm::actors {

/// Makes a proposed merge again as a whole: by methods that look at whole models, and with the models that it leaves out for
/// a defect. It needs room for all of them in this node's store.
start_function whole_check_actor(std::shared_ptr<const sl_context> context, rounds::check_task task);

} // namespace swarm::actors
