#pragma once

#include "actors/swop/managers/manager.hpp"
#include "actors/swop/task/events.hpp"

namespace swarm::actors {

/// Errors of plans, managers and content as the contract has them.
swop::failure failure_of(const error& why);
/// How a program ended; `none`: well, or it is an SL that was told to.
swop::failure failure_of(const managers::ending& how, swop::program_kind kind);

} // namespace swarm::actors
