#include "actors/sl/rounds/testing/closed_round.hpp"

#include <doctest/doctest.h>

namespace peer_reveals_test {

using namespace swarm;
using namespace swarm::rounds;
using namespace swarm::rounds::testing;
using namespace std::chrono_literals;

namespace {

contracts::check_in_args check_in_of(const machine_bench& t) {
  return last_call<contracts::check_in_args>(t);
}
contracts::reveal_args reveal_of(const machine_bench& t) {
  return last_call<contracts::reveal_args>(t);
}
hash32 commitment_of(const contracts::reveal_args& args) {
  return contracts::commitment_of(machine_bench::account(1), args.generation, args.round_num,
                                  {args.digest, args.salt, args.seed_hash});
}

/// Peers 1 and 2 are in round 1, which is closed to others.
struct hidden_round : machine_bench {
  hidden_round() {
    join();
    in(2);
    open_reveals();
  }
  void reopen() {
    view.head.phase = contracts::round_phase::collecting;
    ++view.head.term;
    std::erase_if(view.check_ins, [](const auto& in) { return in.peer == account(1); });
    view.head.checked_in = 1;
    look();
  }
};

} // namespace

TEST_CASE("a check-in tells nothing of the model, and its commitment is opened once the round is closed") {
  machine_bench t;
  t.open();
  t.sync(1);
  t.look();
  const auto committed = check_in_of(t);
  CHECK(committed.commitment != t.digest(1));
  t.hide(t.in(1));
  t.in(2);
  t.done();
  t.clear();
  t.pass(1s, 3);
  CHECK(t.calls().empty());
  t.view.head.phase = contracts::round_phase::revealing;
  t.look();
  REQUIRE(t.calls() == lines{"reveal the model of round 1"});
  CHECK(reveal_of(t).digest == t.digest(1));
  CHECK(commitment_of(reveal_of(t)) == committed.commitment);
  t.view.check_ins[0].digest = t.digest(1);
  t.done();
  CHECK(t.calls().size() == 1);
}

TEST_CASE_FIXTURE(hidden_round, "a lost reveal is sent again, a refused one is not") {
  look();
  step(event::call_done{last<action::call>().id, false, 0, "the SN cannot be reached"});
  pass(1s, 2);
  REQUIRE(calls() == lines{"reveal the model of round 1", "reveal the model of round 1"});
  done(false, "closed");
  pass(1s, 2);
  CHECK(calls().size() == 2);
}

TEST_CASE_FIXTURE(hidden_round, "a machine that takes over reveals what the one before it committed to") {
  machine = peer_machine({.self = account(1), .secret = secret()});
  clear();
  step(event::program_opened{{}, "ours"});
  step(event::session_resumed{});
  sync(1);
  look();
  REQUIRE(calls() == lines{"reveal the model of round 1"});
  CHECK(commitment_of(reveal_of(*this)) == view.check_ins[0].commitment);
}

TEST_CASE_FIXTURE(hidden_round, "those who do not reveal are not waited for longer than they may take") {
  look();
  view.check_ins[0].digest = digest(1);
  done();
  clear();
  CHECK(says(*this, "waiting for sl-2 to reveal its model"));
  pass(1s, 9);
  CHECK(calls().empty());
  pass(1s, 3);
  REQUIRE(calls() == lines{"go on with round 1 without sl-2"});
  done(false, "2 s more");
  CHECK(calls().size() == 1);
  pass(1s, 3);
  CHECK(calls().size() == 2);
}

TEST_CASE_FIXTURE(hidden_round,
                  "one that did not come to reveal checks in anew, and reveals before it counts") {
  look();
  done(false, "the round moved on");
  peer(1).trusted_from = 4;
  clear();
  reopen();
  REQUIRE(calls() == lines{"check in for round 1"});
  const auto committed = check_in_of(*this);
  done(); // it is not listed
  REQUIRE(calls() == lines{"check in for round 1", "reveal the model of round 1"});
  CHECK(commitment_of(reveal_of(*this)) == committed.commitment);
  in(1);
  done();
  CHECK(calls().size() == 2);
  CHECK(count<action::note>() == 1); // it is told once
}

TEST_CASE_FIXTURE(hidden_round, "peers that withhold are named") {
  peer(2).trusted_from = 4;
  peer(2).organisation = 7;
  peer(2).organisation_name = "Org 7";
  look();
  look();
  REQUIRE(count<action::note>() == 1);
  CHECK(last<action::note>().text
        == "sl-2 (host-2:30305, Org 7) has committed to a model and not revealed it: up to round 3 its "
           "check-ins "
           "count once they are revealed");
}

} // namespace peer_reveals_test
