#pragma once

#include "actors/swop/managers/manager.hpp"
#include "actors/swop/task/events.hpp"

namespace swarm::contracts {
/// An error whose code is what the contract is told.
constexpr std::string_view error_category(task_failure) {
  return "task";
}
} // namespace swarm::contracts

namespace swarm::actors {

using swop::task_failure;

/// Errors of plans, managers and content as the contract has them.
swop::failure failure_of(const error& why);
/// How a program ended; `none`: well, or it is a node that was told to.
swop::failure failure_of(const managers::ending& how, swop::program_kind kind);

/// For whoever has to find out why: how it ended, in words, and what it wrote last.
std::string ended_with_lines(managers::manager& of, const managers::program& one, swop::program_kind kind);

} // namespace swarm::actors
