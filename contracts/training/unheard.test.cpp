#include "contracts/testing/played_rounds.hpp"

#include <algorithm>
#include <set>

namespace unheard_test {

// Who waits for peers whose models, as a proposal says, could not be had.

using namespace swarm;
using namespace swarm::contracts;

namespace {

const auto training = default_training();
using numbers = std::vector<std::uint16_t>;

/// SLs of these organisations, whose models of the first round are revealed, so that one of them has to merge.
memory_world revealed(const std::vector<numbers>& organisations, std::uint64_t rules = ledger::rules_newest) {
  memory_world world(make_contracts(), {}, test_founders(organisations), rules);
  std::uint16_t count = 0;
  for (const auto& own : organisations)
    for (const auto number : own) {
      REQUIRE(register_node(world, test_account(number), node_type::sl).ok);
      count = std::max<std::uint16_t>(count, number + 1);
    }
  for (std::uint16_t i = 0; i < count; ++i)
    REQUIRE(world.send(test_account(i), training, encode_register_peer({1, "mean", 1})).ok);
  for (std::uint16_t i = 0; i < count; ++i)
    REQUIRE(world.send(test_account(i), training, check_in_input(1, i)).ok);
  for (std::uint16_t i = 0; i < count; ++i)
    REQUIRE(world.send(test_account(i), training, reveal_input(1, i)).ok);
  REQUIRE(training_probe(world, training).head().phase == round_phase::merging);
  return world;
}

/// The leader's merge without these, of which it says that it could not have their models.
memory_world::outcome propose_without(memory_world& world, const numbers& out,
                                      exclusion_reason why = exclusion_reason::not_available) {
  const training_probe probe(world, training);
  const auto head = probe.head();
  commit_merge_args args{head.generation, head.round_num, head.term, some_digest(7), 1000};
  for (const auto number : out) {
    args.excluded.push_back(test_account(number));
    args.reasons.push_back(why);
  }
  for (const auto& one : probe.check_ins())
    if (std::ranges::find(args.excluded, one.peer) == args.excluded.end())
      args.contributors.push_back(one.peer);
  return world.send(head.leader, training, encode_commit_merge(args));
}

std::set<address> awaited(const memory_world& world) {
  const auto all = training_probe(world, training).checks().awaited;
  return {all.begin(), all.end()};
}

bytes attestation(const memory_world& world) {
  const training_probe probe(world, training);
  return encode(attest_args{1, 1, probe.head().term, probe.checks().attempt});
}

} // namespace

TEST_CASE("nobody waits for one whose model all others could not have") {
  auto world = revealed({{0, 1, 2, 3}});
  REQUIRE(training_probe(world, training).head().leader == test_account(0));
  REQUIRE(propose_without(world, {3}).ok);
  CHECK(awaited(world) == std::set{test_account(1), test_account(2)});
  REQUIRE(world.send(test_account(1), training, attestation(world)).ok);
  CHECK_FALSE(world.send(test_account(3), training, attestation(world)).ok);
  REQUIRE(world.send(test_account(2), training, attestation(world)).ok);
  const training_probe probe(world, training);
  CHECK(probe.head().merged_round == 1);
  CHECK(probe.merge_of(1).checkers == std::vector{test_account(1), test_account(2)});
  CHECK(probe.broken_invariant() == "");
}

TEST_CASE("it is waited for where another defect is named, and by the rules of before") {
  auto defect = revealed({{0, 1, 2, 3}});
  REQUIRE(propose_without(defect, {3}, exclusion_reason::not_finite).ok);
  CHECK(awaited(defect).contains(test_account(3)));
  auto before = revealed({{0, 1, 2, 3}}, 2);
  REQUIRE(propose_without(before, {3}).ok);
  CHECK(awaited(before).contains(test_account(3)));
}

TEST_CASE("who is left out can say that its model is to be had until the others have attested") {
  auto world = revealed({{0}, {1}, {2}, {3}});
  REQUIRE(propose_without(world, {3}).ok);
  REQUIRE(world.send(test_account(1), training, attestation(world)).ok);
  const training_probe probe(world, training);
  const auto head = probe.head();
  const auto said = world.send(
      test_account(3), training,
      encode(challenge_args{1, 1, head.term, probe.checks().attempt, challenge_kind::exclusion, 0}));
  REQUIRE(said.ok);
  CHECK(probe.head().phase == round_phase::disputed);
  const auto judge = [&](std::uint16_t number, bool holds) {
    return world.send(test_account(number), training,
                      encode(judge_args{1, 1, head.term, probe.checks().attempt, holds}));
  };
  REQUIRE(judge(1, false).ok);
  REQUIRE(judge(2, false).ok);
  CHECK(probe.head().phase == round_phase::merging);
  CHECK(probe.head().leader != test_account(0));
}

TEST_CASE("organisations that are not most cannot pass over others, however many keys they have") {
  auto alone = revealed({{0, 1, 2, 3, 4}, {5}, {6}});
  const auto leader = training_probe(alone, training).head().leader;
  REQUIRE(leader == test_account(0));
  REQUIRE(propose_without(alone, {5, 6}).ok);
  CHECK(awaited(alone)
        == std::set{test_account(5), test_account(6)}); // nobody else is of another organisation
  auto half = revealed({{0, 1}, {2}});
  REQUIRE(propose_without(half, {2}).ok);
  CHECK(awaited(half).contains(test_account(2)));
  auto most = revealed({{0, 1}, {2}, {3}});
  REQUIRE(propose_without(most, {3}).ok);
  CHECK(awaited(most) == std::set{test_account(1), test_account(2)});
}

TEST_CASE("one that is left out alone with its leader is waited for") {
  auto world = revealed({{0}, {1}});
  REQUIRE(propose_without(world, {1}).ok);
  CHECK(awaited(world) == std::set{test_account(1)});
}

} // namespace unheard_test
