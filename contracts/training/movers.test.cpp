#include "base/hash.hpp"
#include "contracts/contracts.hpp"
#include "contracts/testing/training_probe.hpp"

#include <doctest/doctest.h>

#include <map>

namespace training_movers_test {

// A node registers for another organisation while what was merged is verified: it speaks for the one as whose it checked in.

using namespace swarm;
using namespace swarm::contracts;

namespace {

hash32 some_hash(std::uint64_t number) {
  return keccak256(fmt::format("{}", number));
}

/// Accounts 0 and 1 are of the first organisation, 2 and 3 of one each; all have brought a small model to round 1.
struct closed_round {
  closed_round() {
    for (std::uint16_t i = 0; i < 4; ++i) {
      REQUIRE(register_node(world, test_account(i), node_type::sl).ok);
      must(i, register_peer_args{4, "mean", 1});
    }
    const auto what = [](std::uint16_t i) { return opening{some_hash(i), some_hash(9), some_hash(10)}; };
    for (std::uint16_t i = 0; i < 4; ++i)
      must(i, check_in_args{1, 1, commitment_of(test_account(i), 1, 1, what(i)), 1000, some_hash(8), 1});
    for (std::uint16_t i = 0; i < 4; ++i)
      must(i, reveal_args{1, 1, what(i).digest, what(i).salt, what(i).seed_hash});
    REQUIRE(probe.head().leader == test_account(0));
  }

  template <class Args>
  memory_world::outcome send(std::uint16_t from, const Args& args) {
    auto done = world.send(test_account(from), where, encode(args));
    REQUIRE(probe.broken_invariant() == "");
    return done;
  }
  template <class Args>
  void must(std::uint16_t from, const Args& args) {
    const auto done = send(from, args);
    REQUIRE_MESSAGE(done.ok, revert_text(done.output));
  }
  void propose(std::uint16_t leader) {
    commit_merge_args args{1, 1, probe.head().term, some_hash(7), 1000};
    for (std::uint16_t i = 0; i < 4; ++i)
      args.contributors.push_back(test_account(i));
    must(leader, args);
  }
  void challenge(std::uint16_t by, challenge_kind kind) {
    must(by, challenge_args{1, 1, probe.head().term, probe.checks().attempt, kind, 0});
  }
  void judge(std::uint16_t who, bool holds) {
    must(who, judge_args{1, 1, probe.head().term, probe.checks().attempt, holds});
  }
  void move(std::uint16_t who, organisation_id to) {
    move_node(world, test_account(who), to);
    must(who, register_peer_args{4, "mean", 1});
    CHECK(probe.peers().at(who).organisation == to);
  }

  memory_world world{make_contracts(), {}, test_founders({{}, {2}, {3}})};
  address where = training_address(default_training_name);
  training_probe probe{world, where};
};

} // namespace

TEST_CASE("the organisation of who was barred stays set aside when it moves") {
  closed_round t;
  t.propose(0);
  t.challenge(2, challenge_kind::chunk);
  t.judge(3, false);
  REQUIRE(t.probe.head().leader == test_account(2));
  t.move(0, 2);
  t.must(2, suspect_leader_args{1, 1, t.probe.head().term});
  CHECK(t.probe.head().leader == test_account(3));
  t.must(3, suspect_leader_args{1, 1, t.probe.head().term});
  CHECK(t.probe.head().leader == test_account(2)); // 1 is of the organisation that was barred
}

TEST_CASE("who has moved votes, and has said what it has said, as one of the organisation that it was of") {
  closed_round t;
  t.must(0, suspect_leader_args{1, 1, 0}); // 1 leads
  REQUIRE(t.probe.head().leader == test_account(1));
  t.propose(1);
  SUBCASE("a vote") {
    t.move(0, 2);
    t.challenge(2, challenge_kind::chunk);
    // The second organisation says what 2 says, whatever 0 does, and with the third it is two of three.
    t.judge(0, true);
    CHECK(t.probe.head().phase == round_phase::disputed);
    t.judge(3, false);
    CHECK(t.probe.head().leader != test_account(1));
    CHECK(t.probe.peers().at(1).barred_until > 0);
  }
  SUBCASE("that it is not served, which an organisation says once") {
    t.challenge(0, challenge_kind::unserved);
    t.judge(2, true);
    t.judge(3, true);
    REQUIRE(t.probe.head().phase == round_phase::verifying);
    t.move(0, 2);
    t.challenge(2, challenge_kind::unserved); // others of the second may still say so
    CHECK(t.probe.head().phase == round_phase::disputed);
  }
  SUBCASE("in the next round it is one of the new one") {
    t.move(0, 2);
    for (const std::uint16_t who : {2, 3})
      t.must(who, attest_args{1, 1, 1, 1});
    REQUIRE(t.probe.head().merged_round == 1);
    for (std::uint16_t i = 0; i < 4; ++i)
      t.must(i, check_in_args{1, 2,
                              commitment_of(test_account(i), 1, 2, {some_hash(i + 20u), {}, some_hash(10)}),
                              1000, some_hash(8), 1, 1});
    for (std::uint16_t i = 0; i < 4; ++i)
      t.must(i, reveal_args{1, 2, some_hash(i + 20u), {}, some_hash(10)});
    REQUIRE(t.probe.head().leader == test_account(2));
    // All that the second organisation has beside its leader: one voice of three.
    t.must(0, suspect_leader_args{1, 2, 0});
    CHECK(t.probe.head().term == 0);
    t.must(1, suspect_leader_args{1, 2, 0});
    CHECK(t.probe.head().term == 1);
  }
}

} // namespace training_movers_test
