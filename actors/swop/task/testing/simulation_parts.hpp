#pragma once

#include "actors/swop/task/runner_machine.hpp"
#include "actors/swop/task/testing/simulation.hpp"

#include <fmt/format.h>

namespace swarm::swop::testing {

struct simulation::program_key {
  part_id part;
  std::uint32_t index = 0;
  program_kind kind = program_kind::sl;
  auto operator<=>(const program_key&) const = default;
};

/// A program and, of an SL, the session that it serves. It outlives the SWOP that started it.
struct simulation::program {
  std::uint64_t serial = 0;
  bool runs = true;
  bool told = false;
  bool hangs = false; ///< does nothing any more, until it is ended
  std::optional<failure> outcome;
  std::uint64_t ended_ms = 0;
  address account;
  bool lies = false; ///< about its account
  session_state session = session_state::none;
  std::uint64_t round = 0;
};

/// `/swop/task:NAME`. Its order stays when its process crashes.
struct simulation::task_actor {
  part_id part;
  task_machine::options options;
  std::optional<task_machine> machine; ///< none: it is being restarted
  std::uint64_t life = 0;
  std::uint64_t work = 0; ///< serial of what is being built; 0: nothing
  time_point armed = time_point::max();
  time_point list_at{};
};

struct simulation::host {
  std::uint16_t number = 0;
  address account;
  std::string name;
  std::uint32_t slots = 0;

  bool up = false;
  bool doomed = false; ///< dead for good
  bool left = false;   ///< for good, as it was told to
  bool in_order = false;
  bool leaving = false;
  std::uint64_t life = 0;
  time_point up_since{};

  std::optional<runner_machine> runner; ///< none: it is being restarted
  std::uint64_t runner_life = 0;
  std::optional<action::begin_part> beginning;
  std::optional<event::contract_seen> last_news;
  std::optional<std::optional<part_id>> cleaning;
  time_point stop_again{};
  std::optional<task_actor> task;
  std::uint64_t task_lives = 0;

  time_point wire_free{}; ///< when its last transaction reaches the SN: they keep their order
  bool reading = false;
  bool read_again = false;
  std::vector<event::taskrunner_read> readings; ///< the last ones, for an SN that lags behind

  std::map<program_key, program> programs;
  std::uint64_t serials = 0;
  std::map<program_key, time_point> over_since; ///< programs of parts that are over
  struct part_story {
    time_point begun{};
    std::uint64_t reports = 0;
    std::uint64_t lives = 0;
    std::uint32_t pairs = 0;
  };
  std::map<part_id, part_story> parts;
  std::uint64_t own_calls = 0;
  std::uint64_t runner_lives = 0;

  bool has_programs() const {
    return std::ranges::any_of(programs, [](const auto& each) { return each.second.runs; });
  }
};

template <class Args>
simulation::outcome simulation::execute(const address& caller, const Args& args) {
  twin_.block_num = world_.block_num() + 1;
  twin_.events.clear();
  const auto done = world_.send(caller, taskrunner_, contracts::encode(args));
  const bool agreed = twin_.call(caller, args) == done.ok;
  if (!agreed)
    broken(fmt::format("the contract and its naive twin disagree on {}, which the contract {}",
                       Args::function.name,
                       done.ok ? "took" : "refused: " + contracts::revert_text(done.output)));
  if (!done.ok) note(nullptr, "refused: " + contracts::revert_text(done.output));
  if (done.ok && done.events.size() != twin_.events.size()) broken("the twin has other events");
  if (done.ok) {
    compare_with_twin();
    take_events(caller);
  }
  return {done.ok, world_.block_num()};
}

/// Transactions of a SWOP are executed in the order in which it sent them, as their nonces demand. One that counts as
/// lost may be executed all the same.
template <class Args>
void simulation::submit(host& n, const Args& args, const std::function<void(bool, std::uint64_t)>& done) {
  ++seen_.calls;
  const bool lost = fault(scenario_.lost_call);
  const bool executed = !lost || chance(500);
  if (lost) in_runner(n, message_delay(), [done] { done(false, 0); });
  if (!executed) return;
  n.wire_free = std::max(n.wire_free + std::chrono::microseconds(1), now_ + message_delay());
  at(n.wire_free, [this, &n, life = n.life, runner_life = n.runner_life, args, done, lost] {
    if (n.life != life && chance(500)) return; // dies with its process
    const auto out = execute(n.account, args);
    if (!out.ok) ++seen_.refused;
    if (lost || n.runner_life != runner_life) return;
    in_runner(n, message_delay(), [done, out] { done(out.ok, out.block_num); });
  });
}

} // namespace swarm::swop::testing
