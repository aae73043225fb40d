#include "base/random.hpp"
#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/testing/naive_taskrunner.hpp"
#include "contracts/testing/taskrunner_probe.hpp"
#include "contracts/testing/training_probe.hpp"

#include <doctest/doctest.h>

namespace taskrunner_model_test {

using namespace swarm;
using namespace swarm::contracts;

namespace {

constexpr std::uint16_t swop_accounts = 6;
constexpr std::uint16_t operator_account = 100; ///< a SWCI
constexpr std::uint16_t sl_account = 101;
constexpr std::uint16_t stranger_account = 102; ///< in no registry

/// The contract and its twin, given the same calls.
class twin_world {
public:
  explicit twin_world(std::uint64_t seed)
      : random(seed), world(make_contracts()), where(default_taskrunner()) {
    add_node(operator_account, node_type::swci);
    add_node(sl_account, node_type::sl);
    for (std::uint16_t i = 0; i < swop_accounts; ++i)
      add_node(i, node_type::swop);
    const auto by = test_account(operator_account);
    for (const auto& [name, type] :
         {std::pair("swarm", task_type::run_swarm), std::pair("build", task_type::make_user_container)}) {
      make_task(world, by, name, type);
      twin.tasks[name] = type;
    }
  }

  /// Sends the call to both and compares everything that can be seen.
  template <class Args>
  bool call(const address& caller, const Args& args) {
    twin.block_num = world.block_num() + 1;
    twin.events.clear();
    const auto done = world.send(caller, where, encode(args));
    const bool expected = twin.call(caller, args);
    INFO("revert: " << (done.ok ? "none" : revert_text(done.output)));
    REQUIRE(done.ok == expected);
    compare(done);
    if (done.ok) ++accepted;
    return done.ok;
  }

  /// The probe is made for each use, so that a copy of this object reads its own world.
  taskrunner_probe probe() const { return {world, where}; }

  seeded_random random;
  memory_world world;
  address where;
  naive_taskrunner twin;
  std::size_t accepted = 0;

private:
  void add_node(std::uint16_t number, node_type type) {
    REQUIRE(register_node(world, test_account(number), type).ok);
    twin.nodes[test_account(number)] = type;
  }

  void compare(const memory_world::outcome& done) const {
    REQUIRE(done.events.size() == twin.events.size());
    for (std::size_t i = 0; i < done.events.size(); ++i)
      REQUIRE(decode_taskrunner_event(done.events[i].topics, done.events[i].data).value() == twin.events[i]);
    if (!done.ok) return;
    REQUIRE(probe().head() == twin.head());
    REQUIRE(nameless(probe().swops()) == twin.swops());
    REQUIRE(nameless(probe().listeners()) == twin.listeners());
    for (std::uint16_t i = 0; i < swop_accounts; ++i) {
      REQUIRE(nameless(probe().pairs(test_account(i))) == twin.pairs(test_account(i)));
      const auto all = probe().head_for(test_account(i));
      REQUIRE(all.head == twin.head());
      REQUIRE(nameless(std::vector{all.swop}).front() == twin.swop(test_account(i)));
    }
    REQUIRE(probe().broken_invariant() == "");
  }

  template <class View>
  static std::vector<View> nameless(std::vector<View> views) {
    for (auto& one : views)
      one.name = {};
    return views;
  }
};

/// A number that is right most of the time.
template <class T>
T mostly(seeded_random& random, T value) {
  if (random.below(15) != 0) return value;
  return static_cast<T>(value + (random.below(2) == 0 ? 1 : -1));
}

/// The status of a report, and a failure that mostly goes with it.
std::pair<part_status, task_failure> random_status(seeded_random& random) {
  const auto dice = random.below(20);
  if (dice == 0)
    return {
        static_cast<part_status>(random.below(5)),
        static_cast<task_failure>(random.below(static_cast<std::uint64_t>(task_failure::not_allowed) + 1))};
  if (dice < 9) return {part_status::active, task_failure::none};
  if (dice < 16) return {part_status::complete, task_failure::none};
  return {part_status::failed, static_cast<task_failure>(1 + random.below(4))};
}

void random_report(twin_world& both, const address& caller) {
  auto& random = both.random;
  const auto head = both.twin.head();
  const auto [status, failure] = random_status(random);
  const auto step = static_cast<task_step>(random.below(3));
  if (head.type != task_type::run_swarm || random.below(6) == 0) {
    const report_args args{mostly(random, head.run), status, step, failure, random.below(2)};
    both.call(caller, args);
    return;
  }
  report_pair_args args{mostly(random, head.run), 0, {}, status, step, failure, random.below(2)};
  args.index = static_cast<std::uint32_t>(random.below(4));
  if (random.below(3) == 0) args.sl = test_account(sl_account);
  if (random.below(20) == 0) args.sl = test_account(0); // a SWOP, no SL
  both.call(caller, args);
}

/// An account that seldom is not the one that may do what is to be done.
address random_caller(seeded_random& random, std::uint16_t rightful) {
  const auto dice = random.below(20);
  if (dice == 0) return test_account(sl_account);
  if (dice == 1) return test_account(stranger_account);
  if (dice == 2) return test_account(static_cast<std::uint16_t>(random.below(swop_accounts)));
  if (dice == 3) return test_account(operator_account);
  return test_account(rightful);
}

void random_call(twin_world& both) {
  auto& random = both.random;
  const auto head = both.twin.head();
  const auto swop = static_cast<std::uint16_t>(random.below(swop_accounts));
  const auto as_swop = random_caller(random, swop);
  const auto as_operator = random_caller(random, operator_account);
  const std::string task = random.below(12) == 0 ? "no such task" : random.below(2) == 0 ? "swarm" : "build";
  const auto dice = random.below(100);
  const bool ended = head.state == taskrunner_state::complete || head.state == taskrunner_state::error;
  if (dice < 10)
    both.call(as_swop, listen_args{static_cast<std::uint32_t>(random.below(30) == 0 ? 65 : random.below(4))});
  else if (dice < 12)
    both.call(as_swop, unlisten_args{test_account(swop)});
  else if (dice < 13)
    both.call(as_operator, unlisten_args{test_account(swop)});
  else if (dice < 20)
    both.call(as_operator,
              assign_args{task, static_cast<std::uint32_t>(random.below(8)), random.below(2) == 0});
  else if (dice < 26)
    both.call(as_operator, assign_to_args{random.below(4) == 0 || head.task.empty() ? task : head.task,
                                          test_account(swop)});
  else if (dice < 45)
    both.call(as_swop, enrol_args{mostly(random, head.run)});
  else if (dice < (ended ? 60u : 98u))
    random_report(both, as_swop);
  else if (dice % 2 == 0)
    both.call(as_operator, reset_taskrunner_args{});
  else
    both.call(as_operator, reset_taskrunner_with_note_args{"the disk was full"});
}

/// From any state on an operator can start over, and SWOPs that do as they should complete the next run.
void start_over(twin_world both) {
  const auto by = test_account(operator_account);
  REQUIRE(both.call(by, reset_taskrunner_args{}));
  const auto task = both.random.below(2) == 0 ? "swarm" : "build";
  for (std::uint16_t i = 0; i < 2; ++i)
    REQUIRE(both.call(test_account(i), listen_args{2}));
  const auto all = both.twin.head();
  REQUIRE(both.call(
      by,
      assign_args{task, both.twin.tasks[task] == task_type::run_swarm ? all.slots : all.listening, true}));
  const auto run = both.twin.head().run;
  for (const auto& one : both.twin.listeners())
    if (one.slots > 0 || both.twin.tasks[task] != task_type::run_swarm)
      REQUIRE(both.call(one.account, enrol_args{run}));
  REQUIRE(both.twin.head().state == taskrunner_state::running);
  for (const auto& one : both.twin.swops()) {
    if (one.pairs == 0)
      REQUIRE(both.call(one.account, report_args{run, part_status::complete, task_step::ended}));
    for (std::uint32_t i = 0; i < one.pairs; ++i)
      REQUIRE(both.call(one.account, report_pair_args{run, i, {}, part_status::complete, task_step::ended}));
  }
  REQUIRE(both.twin.head().state == taskrunner_state::complete);
}

} // namespace

TEST_CASE(
    "the taskrunner and its naive twin agree on long random call sequences, and it always can start over") {
  std::size_t accepted = 0;
  std::array<std::size_t, std::variant_size_v<taskrunner_event>> seen{};
  std::map<std::pair<assign_mode, taskrunner_state>, std::size_t> states;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    twin_world both(seed);
    for (int step = 0; step < 600; ++step) {
      CAPTURE(step);
      random_call(both);
      for (const auto& event : both.twin.events)
        ++seen[event.index()];
      ++states[{both.twin.head().mode, both.twin.head().state}];
      if (step % 50 == 49) start_over(both);
    }
    accepted += both.accepted;
  }
  CHECK(accepted > 7000);
  // Every kind of event and every state must have come up often, or the sequences test less than they claim.
  for (std::size_t kind = 0; kind < seen.size(); ++kind) {
    CAPTURE(kind);
    CHECK(seen[kind] >= (kind == taskrunner_event(taskrunner_reset_noted{}).index() ? 50 : 100));
  }
  for (const auto mode : {assign_mode::with_peers, assign_mode::all_peers, assign_mode::target})
    for (const auto state : {taskrunner_state::enrolling, taskrunner_state::running,
                             taskrunner_state::complete, taskrunner_state::error}) {
      CAPTURE(to_string(mode));
      CAPTURE(to_string(state));
      CHECK(states[{mode, state}] >= 50);
    }
  MESSAGE(accepted << " calls accepted");
}

TEST_CASE("a pair that went with its SWOP takes no report, not even the one that it has") {
  twin_world both(1);
  const auto by = test_account(operator_account), swop = test_account(0);
  REQUIRE(both.call(swop, listen_args{2}));
  REQUIRE(both.call(by, assign_args{"swarm", 2, false}));
  REQUIRE(both.call(swop, enrol_args{1}));
  const report_pair_args report{1, 0, {}, part_status::active, task_step::training, task_failure::none, 3};
  REQUIRE(both.call(swop, report));
  REQUIRE(both.call(by, unlisten_args{swop}));
  CHECK(!both.call(swop, report));
}

} // namespace taskrunner_model_test
