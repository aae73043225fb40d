#include "contracts/contracts.hpp"

#include "base/hash.hpp"
#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/taskrunner_registry/client.hpp"
#include "contracts/testing/played_rounds.hpp"
#include "contracts/testing/taskrunner_probe.hpp"
#include "contracts/training_registry/client.hpp"

#include <doctest/doctest.h>

namespace contracts_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::wording;

namespace {

const auto training = default_training();

} // namespace

TEST_CASE("contracts are where the interfaces say") {
  CHECK(to_hex(node_registry_address().view()) == "0x0000000000000000000000000000000000005001");
  CHECK(to_hex(training_registry_address().view()) == "0x0000000000000000000000000000000000005002");
  CHECK(to_hex(task_registry_address().view()) == "0x0000000000000000000000000000000000005003");
  CHECK(to_hex(taskrunner_registry_address().view()) == "0x0000000000000000000000000000000000005004");
  CHECK(to_hex(organisation_registry_address().view()) == "0x0000000000000000000000000000000000005005");
}

TEST_CASE("genesis has the registries, the default training and the default taskrunner") {
  const auto set = make_contracts();
  REQUIRE(set.kinds.size() == 7);
  REQUIRE(set.genesis.size() == 7);
  CHECK(set.genesis[0].where == node_registry_address());
  CHECK(set.genesis[0].storage.empty());
  CHECK(set.genesis[2].where == training);
  // The genesis state root, and so the chain's identity, depends on these slots: change them only with a new
  // chain version.
  const std::vector<ledger::founder> founders{{"one", {keccak256("a"), keccak256("b")}, {test_account(1)}},
                                              {"two", {keccak256("c")}, {}}};
  bytes all;
  for (const auto& account : set.genesis) {
    append(all, account.where.view());
    all.push_back(account.kind);
    for (const auto& [slot, value] : account.storage) {
      append(all, slot.view());
      append(all, value.view());
    }
    if (!account.founders_storage) continue;
    for (const auto& [slot, value] : account.founders_storage(founders)) {
      append(all, slot.view());
      append(all, value.view());
    }
  }
  CHECK(to_hex(keccak256(all).view())
        == "0x9566dbd377a5f55aeaa723becc0b33980020d905b30a03e8fbb0b9adb1cfd17f");
  const memory_world world(set);
  CHECK(training_probe(world, training).name() == default_training_name);
  CHECK(training_probe(world, training).head().round_num == 1);
  const taskrunner_probe runner(world, set.genesis[5].where);
  CHECK(runner.name() == "defaulttaskbb.taskdb.sml.hpe");
  CHECK(runner.head() == taskrunner_head_view{});
  CHECK(runner.task_names() == std::vector<std::string>{"ROOTTASK"});
  CHECK(runner.task("ROOTTASK").finalized);
}

TEST_CASE("what is no call reverts with a reason") {
  memory_world world(make_contracts());
  const auto text = [&world](const bytes& input) -> wording {
    const auto done = world.send({}, training, input);
    CHECK(!done.ok);
    return revert_text(done.output);
  };
  CHECK(text({}) == "Training: call data of 0 bytes has no function selector");
  CHECK(text({1, 2, 3}) == "Training: call data of 3 bytes has no function selector");
  CHECK(text({1, 2, 3, 4}) == "Training has no function with selector 0x01020304");
  auto longer = encode_reset();
  longer.push_back(0);
  CHECK(text(longer) == "reset(): call data is not its canonical ABI encoding: 1 bytes after the last value");
  auto bad_bool = check_in_input(1, 1);
  bad_bool.back() = 2;
  CHECK(text(bad_bool)
        == "checkIn(uint64,uint64,bytes32,uint64,bytes32,uint32,uint64,bool): call data is not its canonical "
           "ABI "
           "encoding: item 8: bool 2, expected 0 or 1");
}

TEST_CASE("no text stands where a reason belongs, whatever program makes the call") {
  auto world = world_of(3);
  const auto text = [&](const bytes& input) {
    const auto done = world.send(test_account(0), training, input);
    CHECK(!done.ok);
    CHECK(done.events.empty());
    return revert_text(done.output);
  };
  auto leave = encode_leave_peer({last_value(leave_reason{})});
  leave.back() = static_cast<std::uint8_t>(leave.back() + 1);
  CHECK(
      text(leave)
      == "leavePeer(uint8): call data is not its canonical ABI encoding: item 1: value 15, expected 0 to 14");
  leave.back() = 0;
  leave[4] = 'b'; // one letter of a text
  CHECK(text(leave).ends_with("item 1: a number that does not fit uint8"));
  auto commit = encode_commit_merge(
      {1, 1, 0, some_digest(1), 5, {test_account(0)}, {test_account(1)}, {exclusion_reason::not_finite}});
  ++commit.back();
  CHECK(text(commit).ends_with("value 3, expected 0 to 2"));
}

TEST_CASE("any call data yields an outcome, and no effect when it reverts") {
  auto world = world_of(3);
  const std::vector<bytes> seeds{
      check_in_input(1, 1),
      reveal_input(1, 1),
      encode(close_reveals_args{1, 1}),
      encode_register_peer({3, "mean", 1}),
      encode_leave_peer({leave_reason::node_stopped}),
      encode_report_refusal({1, leave_reason::other_min_peers}),
      encode_commit_merge(
          {1, 1, 0, some_digest(1), 5, {test_account(0)}, {test_account(1)}, {exclusion_reason::not_finite}}),
      encode(commit_shard_args{1, 1, 0, 1, {some_digest(1), some_digest(2)}}),
      encode(shard_roots_args{1}),
      encode(measure_shard_args{1, 1, 0, 1, {some_digest(1), some_digest(2)}}),
      encode_peers(0, 5),
      encode_register_node(
          {.type = node_type::sl, .name = "name", .endpoint = "endpoint", .proof = bytes(40, 1)}),
      encode_create_training("name"),
      encode(create_task_args{task_type::run_swarm, "task", "author", "ROOTTASK", "outcome"}),
      encode(append_task_body_args{"task", 1, {"one", "two"}}),
      encode(finalize_task_args{"task"}),
      encode(remove_task_args{"task"}),
      encode(task_body_args{"task", 0, 5}),
      encode(create_taskrunner_args{"name"}),
      encode(listen_args{2}),
      encode(assign_args{"task", 1, true}),
      encode(assign_to_args{"task", test_account(3)}),
      encode(enrol_args{1}),
      encode(report_args{1, part_status::failed, task_step::ended, task_failure::left, 1}),
      encode(report_pair_args{1, 0, test_account(1), part_status::active}),
      encode(pairs_args{test_account(3), 0, 5}),
      encode(admit_organisation_args{"name", {some_digest(1), some_digest(2)}}),
      encode(remove_organisation_args{1}),
      encode(set_anchors_args{1, {some_digest(3)}}),
      encode(set_limits_args{1, {}}),
      encode(take_back_vote_args{some_digest(4)}),
      encode(organisations_args{0, 5}),
      encode(motions_args{0, 5})};
  // Account 3 is a SWOP, and 4 a SWCI; the others are SLs or unknown.
  REQUIRE(register_node(world, test_account(3), node_type::swop).ok);
  REQUIRE(register_node(world, test_account(4), node_type::swci).ok);
  const std::vector<address> contracts{training,
                                       node_registry_address(),
                                       training_registry_address(),
                                       task_registry_address(),
                                       taskrunner_registry_address(),
                                       default_taskrunner(),
                                       organisation_registry_address()};
  seeded_random random(99);
  for (int repeat = 0; repeat < 16000; ++repeat) {
    auto input = seeds[random.below(seeds.size())];
    for (auto changes = 1 + random.below(3); changes > 0; --changes) {
      const auto at = random.below(input.size());
      input[at] = static_cast<std::uint8_t>(random());
    }
    if (random.below(4) == 0) input.resize(random.below(input.size() + 40));
    const auto& to = contracts[random.below(contracts.size())];
    const auto slots_before = world.slot_count();
    const auto done = world.send(test_account(static_cast<std::uint16_t>(random.below(5))), to, input);
    if (done.ok) continue;
    CHECK(!revert_text(done.output).empty());
    CHECK(done.output.size() < 600);
    CHECK(done.events.empty());
    CHECK(world.slot_count() == slots_before);
  }
  CHECK(training_probe(world, training).broken_invariant() == "");
  CHECK(taskrunner_probe(world, default_taskrunner()).broken_invariant() == "");
}

TEST_CASE("running out of gas at any point leaves everything as it was") {
  auto world = world_of(3);
  REQUIRE(world.send(test_account(0), training, check_in_input(1, 0)).ok);
  REQUIRE(world.send(test_account(1), training, check_in_input(1, 1)).ok);
  const auto before = training_probe(world, training).head();
  const auto input = check_in_input(1, 2);
  const auto slots_before = world.slot_count();
  std::uint64_t limit = 0;
  std::size_t failures = 0;
  for (;; limit += 350) {
    const auto done = world.send(test_account(2), training, input, limit);
    if (done.ok) break;
    ++failures;
    REQUIRE(done.out_of_gas);
    REQUIRE(training_probe(world, training).head() == before);
    REQUIRE(world.slot_count() == slots_before);
  }
  CHECK(failures > 50);
  CHECK(training_probe(world, training).head().phase == round_phase::revealing);
}

TEST_CASE("a view changes nothing, whatever it is asked") {
  auto world = world_of(2);
  const auto slots_before = world.slot_count();
  CHECK(world.view(test_account(0), training, check_in_input(1, 0)).ok);
  CHECK(world.slot_count() == slots_before);
  CHECK(training_probe(world, training).head().checked_in == 0);
}

} // namespace contracts_test
