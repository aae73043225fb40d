#pragma once

#include "contracts/taskrunner/codes.hpp"
#include "contracts/taskrunner/interface.hpp"

#include <variant>

/// What goes into a task machine, and what it asks its shell to do.
namespace swarm::swop {

using contracts::part_status;
using contracts::task_failure;
using contracts::task_step;

/// The two programs of a pair, and an SN, which is of no pair and outlives the part that has started it.
enum class program_kind : std::uint8_t { sl, ml, sn };
/// "sl", "ml", "sn".
constexpr std::string_view word_of(program_kind kind) {
  return kind == program_kind::sl ? "sl" : kind == program_kind::ml ? "ml" : "sn";
}

/// How something went wrong, as the contract has it.
struct failure {
  task_failure code = task_failure::none;
  std::uint64_t number = 0; ///< see contracts/taskrunner/codes.hpp
  bool operator==(const failure&) const = default;
};

struct program_fact {
  std::uint32_t index = 0; ///< of its pair
  program_kind kind = program_kind::sl;
  std::uint64_t ended_ms = 0; ///< since 1970; 0 while it runs, or when nobody knows
  std::optional<failure>
      outcome; ///< once it has ended; none of the codes: it exited with 0, or is an SL that was told to end
  bool operator==(const program_fact&) const = default;
};

/// Where the SL of a pair stands with its program.
enum class session_state : std::uint8_t {
  unknown, ///< it does not say
  none,    ///< no program, and nobody needs this SL
  open,
  serving ///< the program's session is over; other nodes still need this SL's files
};

namespace event {
/// What the task needs is there, or why it is not.
struct prepared {
  failure why;
};
/// All programs of this part that there are.
struct programs_seen {
  std::vector<program_fact> all;
};
struct start_failed {
  std::uint32_t index = 0;
  program_kind kind = program_kind::sl;
  failure why;
};
/// The answer to `action::look`.
struct session_seen {
  std::uint32_t index = 0;
  address sl; ///< zero: not known
  session_state state = session_state::unknown;
  task_step step = task_step::waiting_for_session;
  std::uint64_t number = 0;
};
struct work_going {
  task_step step = task_step::building;
  std::uint64_t number = 0;
};
struct work_ended {
  failure why;
};
/// What the contract has of this part.
struct contract_seen {
  contracts::swop_view part;
  std::vector<contracts::pair_view> pairs; ///< as many as `part.pairs`
};
/// The report under way has its receipt, or will have none.
struct report_done {};
/// The part is over whatever its state. With a failure it is reported before the end.
struct stop {
  failure why;
};
struct tick {};
} // namespace event

namespace action {
/// Make volumes, look for the prerequisite, check paths; `event::prepared` says how it went.
struct prepare {
  bool operator==(const prepare&) const = default;
};
/// Start the program and then tell of all programs, or that it could not be started. Until then it is none of them.
struct start {
  std::uint32_t index = 0;
  program_kind kind = program_kind::sl;
  bool operator==(const start&) const = default;
};
struct end_program {
  std::uint32_t index = 0;
  program_kind kind = program_kind::sl;
  bool operator==(const end_program&) const = default;
};
/// Ask the pair's SL where it stands.
struct look {
  std::uint32_t index = 0;
  bool operator==(const look&) const = default;
};
/// Build, pull or fetch: whatever the task is, if it is no RUN_SWARM.
struct work {
  bool operator==(const work&) const = default;
};
struct end_work {
  bool operator==(const end_work&) const = default;
};
/// `contracts::report_args`, or `report_pair_args` when there is an index.
struct report {
  std::optional<std::uint32_t> index;
  address sl;
  part_status status = part_status::active;
  task_step step = task_step::enrolled;
  failure why;
  std::uint64_t number = 0; ///< of the step, while there is no failure
  bool operator==(const report&) const = default;
};
/// Read the contract: what it has now decides what it is told next.
struct read {
  bool operator==(const read&) const = default;
};
/// Nothing of this part runs any more, and nothing is left to be said.
struct finished {
  bool operator==(const finished&) const = default;
};
} // namespace action
using task_action =
    std::variant<action::prepare, action::start, action::end_program, action::look, action::work,
                 action::end_work, action::report, action::read, action::finished>;

} // namespace swarm::swop
