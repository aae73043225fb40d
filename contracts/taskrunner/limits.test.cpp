#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/testing/taskrunner_probe.hpp"
#include "contracts/testing/training_probe.hpp"

#include <doctest/doctest.h>

namespace taskrunner_limits_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::wording;

namespace {

const auto cleo = test_account(5000);

template <class Args>
memory_world::outcome send(memory_world& world, const address& from, const Args& args) {
  return world.send(from, default_taskrunner(), encode(args), call_gas);
}
template <class Args>
wording refusal(memory_world& world, const address& from, const Args& args) {
  const auto done = send(world, from, args);
  return done.ok ? "" : revert_text(done.output);
}

/// A world with an operator, the task "run" of the type, and `count` SWOPs that listen with `slots` each.
memory_world world_of(std::uint16_t count, std::uint32_t slots, task_type type = task_type::run_swarm,
                      std::uint64_t rules = ledger::rules_newest) {
  memory_world world(make_contracts(), {}, {}, rules);
  REQUIRE(register_node(world, cleo, node_type::swci).ok);
  make_task(world, cleo, "run", type);
  for (std::uint16_t i = 0; i < count; ++i) {
    REQUIRE(register_node(world, test_account(i), node_type::swop).ok);
    REQUIRE(send(world, test_account(i), listen_args{slots}).ok);
  }
  return world;
}

} // namespace

TEST_CASE("codes of RUN_NODE are unknown before version 3 of the rules") {
  auto world = world_of(1, 0, task_type::make_user_container, 2);
  REQUIRE(send(world, cleo, assign_args{"run", 1, false}).ok);
  REQUIRE(send(world, test_account(0), enrol_args{1}).ok);
  const report_args starting{1, part_status::active, task_step::starting_sn};
  const report_args refused{1, part_status::failed, task_step::ended, task_failure::node_not_offered};
  for (const auto& each : {starting, refused}) {
    const auto done = send(world, test_account(0), each);
    CHECK_FALSE(done.ok);
    CHECK(revert_text(done.output).find("needs version 3 of the chain's rules") != std::string::npos);
    CHECK(done.loads == 0);
  }
  CHECK(refusal(world, test_account(0), report_args{1, part_status::active, task_step::stopping}) == "");
  world.begin_rules(3);
  CHECK(refusal(world, test_account(0), starting) == "");
  CHECK(refusal(world, test_account(0), refused) == "");
}

TEST_CASE("a thousand keys fill a taskrunner, and an operator makes room") {
  auto world = world_of(listeners_max, 1, task_type::make_user_container);
  const taskrunner_probe probe(world, default_taskrunner());
  const auto late = test_account(listeners_max);
  REQUIRE(register_node(world, late, node_type::swop).ok);
  CHECK(refusal(world, late, listen_args{1})
        == "1024 SWOPs listen on this taskrunner, no more are possible: a SWCI can dismiss those that are "
           "gone");
  CHECK(probe.listeners().size() == listeners_max);
  CHECK(refusal(world, cleo, unlisten_args{test_account(3)}) == "");
  CHECK(refusal(world, late, listen_args{1}) == "");

  REQUIRE(send(world, cleo, assign_args{"run", listeners_max, true}).ok);
  std::vector<std::uint64_t> gas;
  for (const auto& one : probe.listeners()) {
    const auto done = send(world, one.account, enrol_args{1});
    REQUIRE(done.ok);
    gas.push_back(done.gas);
  }
  CHECK(gas[listeners_max - 2] == gas[1]); // the last one also sets the run going
  CHECK(probe.head().state == taskrunner_state::running);
  CHECK(probe.swops().size() == listeners_max);
  for (const auto& one : probe.listeners())
    REQUIRE(send(world, one.account, report_args{1, part_status::complete, task_step::ended}).ok);
  CHECK(probe.head().state == taskrunner_state::complete);
  CHECK(probe.broken_invariant() == "");
  CHECK(send(world, cleo, reset_taskrunner_args{}).gas < 60'000);
}

TEST_CASE("no more SWOPs take part in a run than are possible, whoever else has left it") {
  auto world = world_of(run_swops_max, 1);
  REQUIRE(send(world, cleo, assign_args{"run", run_swops_max + 1}).ok);
  for (std::uint16_t i = 0; i < run_swops_max; ++i)
    REQUIRE(send(world, test_account(i), enrol_args{1}).ok);
  REQUIRE(send(world, test_account(0), unlisten_args{test_account(0)}).ok);
  const taskrunner_probe probe(world, default_taskrunner());
  CHECK(probe.head().state == taskrunner_state::error); // a peer failed, all of them were needed
  const auto late = test_account(run_swops_max);
  REQUIRE(register_node(world, late, node_type::swop).ok);
  REQUIRE(send(world, late, listen_args{1}).ok);
  CHECK(refusal(world, late, enrol_args{1}) == "run 1 is ERROR");
  CHECK(refusal(world, cleo, assign_to_args{"run", late})
        == "1024 SWOPs take part in the run, no more are possible");
  REQUIRE(send(world, cleo, reset_taskrunner_args{}).ok);
  CHECK(refusal(world, cleo, assign_to_args{"run", late}) == "");
}

TEST_CASE("a report costs the same, however many take part and however many runs there were") {
  auto small = world_of(1, 1), large = world_of(400, swop_slots_max);
  const auto cost = [](memory_world& world, std::uint32_t peers, std::uint64_t runs) {
    for (std::uint64_t run = 1; run < runs; ++run) {
      REQUIRE(send(world, cleo, assign_args{"run", peers}).ok);
      REQUIRE(send(world, test_account(0), enrol_args{run}).ok);
      REQUIRE(send(world, cleo, reset_taskrunner_args{}).ok);
    }
    REQUIRE(send(world, cleo, assign_args{"run", peers}).ok);
    REQUIRE(send(world, test_account(0), enrol_args{runs}).ok);
    const auto done = send(world, test_account(0),
                           report_pair_args{runs, 0, {}, part_status::active, task_step::training, {}, 1});
    REQUIRE(done.ok);
    return done.gas;
  };
  CHECK(cost(small, 1, 1) == cost(large, 400 * swop_slots_max, 50));
  // One that fails for all its pairs writes no more than one that fails for itself.
  const auto done = send(large, test_account(0),
                         report_args{50, part_status::failed, task_step::ended, task_failure::swop_stopped});
  REQUIRE(done.ok);
  CHECK(done.stores < 8);
  const taskrunner_probe probe(large, default_taskrunner());
  CHECK(probe.head().failed == swop_slots_max);
  CHECK(probe.pairs(test_account(0)).back().failure == task_failure::swop_stopped);
}

TEST_CASE("a page of SWOPs and of pairs is read within a call's gas") {
  auto world = world_of(300, swop_slots_max);
  REQUIRE(send(world, cleo, assign_args{"run", 300 * swop_slots_max}).ok);
  for (std::uint16_t i = 0; i < 300; ++i)
    REQUIRE(send(world, test_account(i), enrol_args{1}).ok);
  const auto ask = [&world](const bytes& input) { return world.view({}, default_taskrunner(), input); };
  const auto swops = ask(encode(swops_args{0, ~std::uint64_t{0}}));
  CHECK(decode_answer<swops_args>(swops.output).value().size() == page_entries_max);
  CHECK(swops.gas < call_gas);
  CHECK(decode_answer<swops_args>(ask(encode(swops_args{256, 256})).output).value().size() == 44);
  CHECK(decode_answer<swops_args>(ask(encode(swops_args{300, 1})).output).value().empty());
  const auto pairs = ask(encode(pairs_args{test_account(7), 0, 256}));
  CHECK(decode_answer<pairs_args>(pairs.output).value().size() == swop_slots_max);
  CHECK(decode_answer<pairs_args>(ask(encode(pairs_args{test_account(7), 63, 9})).output).value().size()
        == 1);
  CHECK(ask(encode(taskrunner_head_args{})).loads < 12);
}

} // namespace taskrunner_limits_test
