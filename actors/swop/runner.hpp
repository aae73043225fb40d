#pragma once

#include "actors/supervision/role_actor.hpp"
#include "actors/swop/messages.hpp"
#include "actors/swop/swop_context.hpp"

namespace swarm::actors {

/// `/swop/runner`: listens on the profile's taskrunner and has its tasks carried out, one at a time; the shell of
/// task/runner_machine.hpp. Reports of `/swop/task:NAME` go to the contract through it.
start_function runner_actor(std::shared_ptr<const swop_context> context);

} // namespace swarm::actors
