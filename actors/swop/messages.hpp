#pragma once

#include "actors/swop/task/runner_machine.hpp"
#include "config/tasks/task.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <memory>

/// What the actors of a SWOP say to each other. `/swop/sn` and `/swop/runner` speak as actors/sn_client/messages.hpp
/// says.
namespace swarm::actors {

/// A part as `/swop/runner` has it begun.
struct part_order {
  swop::part_id part;
  std::string task;
  std::uint32_t pairs = 0;
  /// The task as the chain has it, or why it cannot be carried out.
  result<tasks::task_definition> definition;
  /// What the prerequisite made; empty for that of ROOTTASK.
  std::string prerequisite_outcome;
};

/// From `/swop/task:NAME` to `/swop/runner`, when it starts and when it is asked.
struct task_here {
  swop::part_id part;
  std::string name; ///< of the actor
};
/// From `/swop/runner`, which has just started, to every task that is there.
struct who_is_there {};
/// From `/swop/task:NAME` to `/swop/runner`: send it to the contract; `swop::event::report_done` answers.
struct task_report {
  swop::part_id part;
  swop::action::report what;
};
/// From `/swop/task:NAME` to `/swop/runner`: read the contract.
struct read_taskrunner {};
/// From `/swop/runner` to `/swop/task:NAME`; `swop::event::part_gone` answers.
struct end_task {
  swop::failure why;
};
/// From the manager's thread, and from a task to itself.
struct programs_changed {};
/// From the thread of a task that has started a program, or could not.
struct program_started {
  std::uint32_t index = 0;
  swop::program_kind kind = swop::program_kind::sl;
  swop::failure why; ///< none: it runs
};
struct task_tick {};

} // namespace swarm::actors

#define SWARM_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::name)
SWARM_MESSAGE(actors::task_here)
SWARM_MESSAGE(actors::who_is_there)
SWARM_MESSAGE(actors::task_report)
SWARM_MESSAGE(actors::read_taskrunner)
SWARM_MESSAGE(actors::end_task)
SWARM_MESSAGE(actors::programs_changed)
SWARM_MESSAGE(actors::program_started)
SWARM_MESSAGE(actors::task_tick)
SWARM_MESSAGE(swop::event::contract_seen)
SWARM_MESSAGE(swop::event::report_done)
SWARM_MESSAGE(swop::event::part_gone)
SWARM_MESSAGE(swop::event::work_going)
SWARM_MESSAGE(swop::event::work_ended)
#undef SWARM_MESSAGE
