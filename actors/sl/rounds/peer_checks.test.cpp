#include "actors/sl/rounds/testing/closed_round.hpp"
#include "contracts/training/dealing.hpp"

#include <doctest/doctest.h>

#include <set>

namespace peer_checks_test {

using namespace swarm;
using namespace swarm::rounds;
using namespace swarm::rounds::testing;
using namespace std::chrono_literals;
using contracts::challenge_kind;
using contracts::round_phase;

namespace {

/// Peers 1 to 4 are in round 1, and peer 2 proposes model 50. This node, which is peer 1, and peers 3 and 4 check it.
struct proposed_round : closed_round {
  proposed_round() : closed_round(2) {
    clear();
    view.head.phase = round_phase::verifying;
    view.proposal = {.round_num = 1, .term = 0, .digest = digest(50), .size = model_size};
    view.proposal.contributors = {account(1), account(2), account(3), account(4)};
    view.checks.round_num = 1;
    view.checks.chunks = 6;
    deal(1);
  }
  /// All is dealt out for the `attempt`th time.
  void deal(std::uint32_t attempt) {
    view.checks.attempt = attempt;
    view.checks.lasts = contracts::check_seconds;
    view.checks.seats = {{account(3), 1}, {account(1), 2}, {account(4), 3}};
    view.checks.awaited = {account(1), account(3), account(4)};
  }
  void dispute(challenge_kind kind, std::uint64_t number, std::uint8_t by = 3) {
    view.head.phase = round_phase::disputed;
    view.checks.challenger = account(by);
    view.checks.kind = kind;
    view.checks.number = number;
    view.checks.awaited = {account(1), account(4)};
    look();
  }
  /// This node's attestation or challenge is in a block.
  void heard() {
    view.checks.awaited = {account(3), account(4)};
    done();
  }
  const check_task& task() const { return last<action::start_check>().task; }
  void found(check_outcome what = {}) { step(event::check_done{task().id, std::move(what)}); }
};

check_outcome wrong_chunk(std::uint64_t number) {
  return {check_outcome::wrong_chunk, number, {}, "other bytes"};
}

} // namespace

TEST_CASE("a node makes again what is dealt to it, and attests") {
  proposed_round t;
  t.look();
  CHECK(t.count<action::start_check>() == 1);
  CHECK(t.task().chunks == contracts::deal({1, 2, 3}, 6).chunks_of(1));
  CHECK(t.task().digest == t.digest(50));
  CHECK(t.task().inputs.size() == 4);
  CHECK_FALSE(t.task().whole);
  t.pass(1s, 3);
  CHECK(t.count<action::start_check>() == 1); // it is under way
  CHECK(t.calls().empty());
  t.found();
  REQUIRE(t.calls() == lines{"attest the merge of round 1"});
  CHECK(last_call<contracts::attest_args>(t).attempt == 1);
}

TEST_CASE("a seed is revealed before anything is dealt out") {
  proposed_round t;
  t.deal(0);
  const auto what = opening_of(t.secret(), "ours", 1, 1, t.digest(1));
  t.view.check_ins.back().seed_hash = what.seed_hash;
  for (auto& in : t.view.check_ins)
    if (in.peer == t.account(1)) in.seed_hash = what.seed_hash;
  t.look();
  CHECK(t.count<action::start_check>() == 0);
  REQUIRE(t.calls() == lines{"reveal a seed of round 1"});
  CHECK(keccak256(last_call<contracts::reveal_seed_args>(t).seed.view()) == what.seed_hash);
}

TEST_CASE("what is wrong is challenged once") {
  proposed_round t;
  t.look();
  t.found(wrong_chunk(4));
  REQUIRE(t.calls() == lines{"challenge the merge of round 1"});
  const auto args = last_call<contracts::challenge_args>(t);
  CHECK(args.kind == challenge_kind::chunk);
  CHECK(args.number == 4);
  SUBCASE("and nothing is attested when others do not bear it out") {
    t.done();
    t.deal(2);
    t.clear();
    t.look();
    t.pass(1s, 3);
    CHECK(t.calls().empty());
    CHECK(t.count<action::start_check>() == 0);
  }
  SUBCASE("and what the others accept all the same is not loaded") {
    t.done();
    t.merge(50, 2);
    t.clear();
    t.look();
    CHECK(t.count<action::fetch>() == 0);
    CHECK(t.count<action::ask_loss>() == 0);
  }
}

TEST_CASE("what was refuted is challenged again when another leader proposes it") {
  proposed_round t;
  t.look();
  t.found(wrong_chunk(4));
  t.done();
  t.view.head.term = t.view.checks.term = t.view.proposal.term = 1;
  t.view.head.leader = t.account(3);
  t.deal(1);
  t.clear();
  SUBCASE("the same model of the same contributors is known to be wrong") {
    t.look();
    CHECK(t.count<action::start_check>() == 0);
    CHECK(t.calls() == lines{"challenge the merge of round 1"});
  }
  SUBCASE("of others it is made again") {
    t.view.proposal.contributors.pop_back();
    t.view.proposal.excluded = {t.account(4)};
    t.view.proposal.reasons = {contracts::exclusion_reason::not_finite};
    t.look();
    CHECK(t.count<action::start_check>() == 1);
  }
}

TEST_CASE("what nobody gives is challenged as not served, and who is left out wrongly by place") {
  proposed_round t;
  t.view.proposal.contributors.pop_back();
  t.view.proposal.excluded = {t.account(4)};
  t.view.proposal.reasons = {contracts::exclusion_reason::not_available};
  t.look();
  REQUIRE(t.task().unheard.size() == 1);
  CHECK(t.task().unheard[0].peer == t.account(4));
  SUBCASE("not served") {
    t.found({check_outcome::unserved, 2, {}, "nobody gives it"});
    CHECK(last_call<contracts::challenge_args>(t).kind == challenge_kind::unserved);
    CHECK(last_call<contracts::challenge_args>(t).number == 0); // it is said of all of it
    SUBCASE("and looked for again when the contract does not take that") {
      const auto call = t.last<action::call>().id;
      t.clear();
      t.step(
          event::call_done{call, false, ++t.view.block_num, "another peer of its organisation has said so"});
      t.look();
      CHECK(t.calls().empty());
      t.pass(1s, 2);
      CHECK(t.count<action::start_check>() == 1);
      t.found();
      CHECK(t.calls() == lines{"attest the merge of round 1"});
    }
  }
  SUBCASE("left out") {
    t.found({check_outcome::wrong_exclusion, 0, t.account(4), "it gives its model"});
    CHECK(last_call<contracts::challenge_args>(t).kind == challenge_kind::exclusion);
    CHECK(last_call<contracts::challenge_args>(t).number == 0);
  }
}

TEST_CASE("who is stalled says that it was not served before the stage is over, as a judge, too") {
  proposed_round t;
  SUBCASE("who checks") {
    t.look();
    REQUIRE(t.count<action::start_check>() == 1);
    t.pass(1s, static_cast<int>(contracts::check_seconds) - 2);
    CHECK(t.calls().empty());
    t.pass(1s, 1);
    REQUIRE(t.calls() == lines{"challenge the merge of round 1"});
    CHECK(last_call<contracts::challenge_args>(t).kind == challenge_kind::unserved);
  }
  SUBCASE("who judges") {
    t.dispute(challenge_kind::unserved, 0);
    REQUIRE(t.count<action::start_check>() == 1);
    t.pass(1s, static_cast<int>(contracts::check_seconds) - 1);
    REQUIRE(t.calls() == lines{"judge the merge of round 1"});
    CHECK_FALSE(last_call<contracts::judge_args>(t).holds);
  }
  CHECK(t.count<action::cancel_check>() == 1);
}

TEST_CASE("who is left out for what is in its model is checked with all of all models") {
  proposed_round t;
  t.view.proposal.contributors.pop_back();
  t.view.proposal.excluded = {t.account(4)};
  t.view.proposal.reasons = {contracts::exclusion_reason::not_finite};
  t.look();
  CHECK(t.task().whole);
  REQUIRE(t.task().defective.size() == 1);
}

TEST_CASE("what others challenge is made again, and what the check before it finds is not taken for that") {
  proposed_round t;
  t.look();
  const auto before = t.task();
  t.dispute(challenge_kind::chunk, 3);
  CHECK(t.task().chunks == std::vector<std::uint64_t>{3});
  CHECK(t.task().id != before.id);
  t.step(event::check_done{before.id, check_outcome{}}); // it was on its way
  CHECK(t.calls().empty());
  SUBCASE("right") {
    t.found();
    CHECK(last_call<contracts::judge_args>(t).holds);
  }
  SUBCASE("wrong") {
    t.found(wrong_chunk(3));
    CHECK_FALSE(last_call<contracts::judge_args>(t).holds);
  }
}

TEST_CASE("what is right already is not made again, and what is wrong already neither") {
  proposed_round t;
  t.look();
  const auto dealt = t.task().chunks;
  SUBCASE("right") {
    t.found();
    t.heard();
    t.clear();
    t.dispute(challenge_kind::chunk, dealt.front());
    CHECK(last_call<contracts::judge_args>(t).holds);
  }
  SUBCASE("wrong") {
    t.found(wrong_chunk(dealt.front()));
    const auto call = t.last<action::call>().id;
    t.clear();
    t.view.head.phase = round_phase::disputed; // somebody else was faster
    t.view.checks.challenger = t.account(3);
    t.view.checks.number = 5;
    t.view.checks.awaited = {t.account(1), t.account(4)};
    t.step(event::call_done{call, false, ++t.view.block_num, "it is being disputed"});
    t.look();
    CHECK_FALSE(last_call<contracts::judge_args>(t).holds);
  }
  CHECK(t.count<action::start_check>() == 0);
}

TEST_CASE("a check that comes to nothing is made again after a moment") {
  proposed_round t;
  t.look();
  t.step(event::check_done{t.task().id, fail(errc::internal, "the check actor: it has died")});
  CHECK(t.count<action::start_check>() == 1);
  t.pass(500ms, 3);
  CHECK(t.count<action::start_check>() == 2);
}

TEST_CASE("the proposal is fetched meanwhile, and when another merge is accepted that is fetched") {
  proposed_round t;
  t.look();
  REQUIRE(t.count<action::fetch>() == 1);
  CHECK(t.last<action::fetch>().digest == t.digest(50));
  // Its leader has it; the others who contributed fetch it, too.
  const auto& holders = t.last<action::fetch>().holders;
  REQUIRE(holders.size() == 3);
  CHECK(holders[0].peer == t.account(2));
  CHECK(std::set{holders[1].peer, holders[2].peer} == std::set{t.account(3), t.account(4)});
  SUBCASE("it is there in time") {
    t.fetched(50);
    t.found();
    t.heard();
    t.merge(50, 2);
    t.clear();
    t.look();
    CHECK(t.count<action::fetch>() == 0);
    CHECK(t.count<action::ask_loss>() == 1);
  }
  SUBCASE("it is on its way") {
    t.found();
    t.heard();
    t.merge(50, 2);
    t.clear();
    t.look();
    CHECK(t.count<action::fetch>() == 0);
    t.fetched(50);
    CHECK(t.count<action::ask_loss>() == 1);
  }
  SUBCASE("its leader gives it for ever") {
    t.found(wrong_chunk(1));
    t.heard();
    t.merge(51, 3);
    t.clear();
    t.look();
    CHECK(t.last<action::fetch>().digest == t.digest(51));
    t.fetched(51);
    CHECK(t.count<action::ask_loss>() == 1);
  }
  SUBCASE("it fails") {
    t.fetch_fails(50);
    t.pass(1s, 3);
    CHECK(t.count<action::fetch>() == 1);
    t.merge(50, 2);
    t.look();
    CHECK(t.count<action::fetch>() == 2);
  }
}

TEST_CASE("a proposal of another size than all models have is not fetched") {
  proposed_round t;
  ++t.view.proposal.size;
  t.look();
  CHECK(t.count<action::fetch>() == 0);
}

TEST_CASE("once their time is over the round goes on without those who are silent") {
  proposed_round t;
  for (auto& in : t.view.check_ins)
    in.size = 500;
  t.look();
  t.found();
  t.heard();
  t.clear();
  CHECK(says(t, "waiting for sl-3, sl-4 to check the merge of sl-2"));
  t.pass(1s, 9);
  CHECK(t.calls().empty());
  t.pass(1s, 4);
  REQUIRE_FALSE(t.calls().empty());
  CHECK(t.calls().front() == "go on with round 1 without sl-3, sl-4");
}

TEST_CASE("a check ends with what it is about") {
  proposed_round t;
  t.look();
  t.view.head.phase = round_phase::merging;
  t.view.head.leader = t.account(3);
  ++t.view.head.term;
  t.view.proposal = {};
  t.view.checks = {};
  t.look();
  CHECK(t.count<action::cancel_check>() == 1);
}

} // namespace peer_checks_test
