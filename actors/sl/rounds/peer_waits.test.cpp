#include "actors/sl/rounds/arithmetic.hpp"
#include "actors/sl/rounds/testing/closed_round.hpp"

#include <doctest/doctest.h>

namespace peer_waits_test {

// Every wait in a closed round ends: leaders are watched, and peers that give no sign of life are accused.

using namespace swarm;
using namespace swarm::rounds;
using namespace swarm::rounds::testing;
using namespace std::chrono_literals;

namespace {

/// Round 2 of three peers, of which 1 and 2 are in, and took 20 s; 3 is missing, and took 70 s the last time.
struct slow_round : machine_bench {
  explicit slow_round(duration grace) : machine_bench({.grace = grace}) {
    peer(2);
    peer(3);
    join({.min_peers = 2});
    view.head.min_peers = 2;
    in(2);
    in(3);
    merge(9, 2);
    look();
    fetched(9);
    loss();
    pass(20s);
    sync(1);
    look();
    in(1);
    in(2);
    peer(1).took = peer(2).took = 20;
    peer(3).took = 70;
    done();
    clear();
  }
  /// How many seconds after the round opened this node votes to close it.
  int votes_after() {
    for (int seconds = 20; seconds < 500; ++seconds) {
      if (!calls().empty()) return seconds;
      pass(1s);
    }
    return 500;
  }
};

} // namespace

TEST_CASE("who keeps step, though slowly, is waited for, however short the grace is") {
  slow_round t(2s);
  SUBCASE("four times as long as the others took, and the grace") {
    CHECK(t.votes_after() == 4 * 20 + 2);
    CHECK(t.calls() == lines{"vote to close round 2 without sl-3"});
    CHECK(t.last<action::note>().text
          == "round 2: sl-3 is not waited for any longer: 4 times as long as the others took, 80 s, and the "
             "grace of "
             "2 s is over");
  }
  SUBCASE("not longer than the grace when it took longer than that the last time") {
    t.peer(3).took = 81;
    t.look();
    CHECK(t.votes_after() == 20 + 2);
    CHECK(t.last<action::note>().text
          == "round 2: sl-3 is not waited for any longer: the grace of 2 s is over");
  }
  SUBCASE("nor when it has never been in") {
    t.peer(3).last_round = 0;
    t.peer(3).took = 0;
    t.look();
    CHECK(t.votes_after() == 20 + 2);
  }
  SUBCASE("nor when it gives no sign of life") {
    t.view.silent.insert(t.account(3));
    t.look();
    CHECK(t.votes_after() == 20 + 2);
  }
  SUBCASE("by the middle of organisations, so that many quick keys of one do not make the others slow") {
    for (std::uint8_t number : {4, 5, 6}) {
      t.in(number);
      t.peer(number).organisation = 1;
    }
    t.peer(2).organisation = 2;
    t.peer(3).organisation = 3;
    t.look();
    CHECK(t.votes_after() == 4 * 20 + 2);
  }
}

TEST_CASE("a grace that is longer than the others' time is not shortened") {
  slow_round t(100s);
  t.peer(3).took = 90;
  t.look();
  CHECK(t.votes_after() == 20 + 100);
}

TEST_CASE("a leader without progress is suspected, one that is slow is not") {
  closed_round t(2);
  CHECK(says(t, "waiting for sl-2 to merge (term 0)"));
  const auto progress = [&t](std::uint64_t value) { t.step(event::leader_progress{1, 0, value}); };
  t.pass(2s);
  CHECK(t.last<action::probe_leader>().endpoint == "host-2:30305");
  CHECK(t.last<action::probe_leader>().round_num == 1);
  for (std::uint64_t step = 1; step < 5; ++step) {
    progress(step);
    t.pass(9s);
  }
  CHECK(t.calls().empty());
  progress(4); // no news
  t.pass(1s - 1ms);
  progress(4);
  CHECK(t.calls().empty());
  t.pass(1ms);
  REQUIRE(t.calls() == lines{"suspect the leader of round 1, term 0"});
  CHECK(t.last<action::call>().input == contracts::encode_suspect_leader({1, 1, 0}));
  SUBCASE("once a term") {
    t.done();
    t.pass(100s);
    CHECK(t.calls().size() == 1);
    t.close(3, 1);
    t.look();
    t.pass(10s);
    CHECK(t.calls().size() == 2);
  }
  SUBCASE("also when the contract has that voice already") {
    t.done(false, "suspects the leader of term 0 already");
    t.pass(100s);
    CHECK(t.calls().size() == 1);
  }
}

TEST_CASE("a leader that takes longer than anybody may is suspected, whatever it says of its progress") {
  closed_round t(2);
  const auto claims_until = [&t](std::uint64_t seconds) {
    for (std::uint64_t at = 1; at <= seconds; ++at) {
      t.pass(1s);
      t.step(event::leader_progress{1, 0, 1000 * at});
    }
  };
  SUBCASE("a minute and what the models take at the least rate") {
    for (auto& in : t.view.check_ins)
      in.size = 20 * model_rate_min;
    t.look();
    claims_until(60 + 4 * 20 - 1);
    CHECK(t.calls().empty());
    t.pass(1s);
    CHECK(t.calls() == lines{"suspect the leader of round 1, term 0"});
  }
  SUBCASE("but not longer than leaders may take at all, however large the models are said to be") {
    for (auto& in : t.view.check_ins)
      in.size = ~std::uint64_t{0};
    t.look();
    claims_until(10 * 60 - 1);
    CHECK(t.calls().empty());
    t.pass(1s);
    CHECK(t.calls() == lines{"suspect the leader of round 1, term 0"});
  }
}

TEST_CASE("a leader at whose address nobody listens is suspected within two seconds") {
  closed_round t(2);
  t.pass(500ms);
  t.step(event::leader_unheard{1, 0});
  t.pass(500ms);
  SUBCASE("unless it comes back before") {
    t.step(event::leader_progress{1, 0, 0});
    t.pass(500ms);
    t.step(event::leader_unheard{1, 0});
    t.pass(999ms);
    CHECK(t.calls().empty());
  }
  t.step(event::leader_unheard{1, 0});
  t.pass(500ms);
  CHECK(t.calls() == lines{"suspect the leader of round 1, term 0"});
}

TEST_CASE("a peer that came late waits, and says for whom") {
  machine_bench t;
  t.open();
  t.in(2);
  t.in(3);
  t.close(2);
  t.look();
  t.clear();
  t.sync(1);
  t.pass(100s);
  CHECK(t.calls().empty());
  CHECK(says(t, "came late for round 1"));
  CHECK(says(t, "waiting for sl-2 to merge"));
  t.view.silent = {t.account(2), t.account(3)};
  t.look();
  CHECK(says(t, "sl-2 (no sign of life)"));
  CHECK(says(t, "none of that round's peers gives a sign of life"));
  CHECK(t.calls() == lines{"accuse sl-2 (no sign of life)"});
}

TEST_CASE("silent peers of the round are accused, and once more when they have not answered") {
  closed_round t(2);
  t.view.silent = {t.account(2), t.account(3)};
  t.look();
  REQUIRE(t.calls() == lines{"accuse sl-2 (no sign of life)"});
  CHECK(t.last<action::call>().input == contracts::encode(contracts::accuse_peer_args{1, t.account(2)}));
  t.peer(2).accused_since = 100;
  t.done();
  CHECK(t.calls().back() == "accuse sl-3 (no sign of life)");
  t.peer(3).accused_since = 101;
  t.done();
  CHECK(t.calls().size() == 2);
  t.step(event::leader_progress{1, 0, 1});
  t.pass(9s);
  CHECK(t.calls().size() == 2);
  t.step(event::leader_progress{1, 0, 2});
  t.pass(3s);
  REQUIRE(t.calls().size() == 3);
  CHECK(t.calls().back() == "accuse sl-2 (no sign of life)");
  SUBCASE("what the contract refuses is not asked for again and again") {
    t.done(false, "has 3 s more");
    t.step(event::leader_progress{1, 0, 3});
    t.pass(1s, 9);
    CHECK(t.calls().size() == 3);
    t.step(event::leader_progress{1, 0, 4});
    t.pass(1s, 7);
    CHECK(t.calls().size() == 4);
  }
  SUBCASE("those who answer are left alone") {
    t.view.silent.clear();
    t.peer(2).accused_since = t.peer(3).accused_since = 0;
    t.done();
    t.step(event::leader_progress{1, 0, 3});
    t.pass(1s, 9);
    CHECK(t.calls().size() == 3);
  }
}

TEST_CASE("a node that is accused gives a sign of life, whatever it does") {
  machine_bench t;
  t.peer(2);
  t.join();
  t.peer(1).accused_since = 100;
  t.look();
  REQUIRE(t.calls() == lines{"tell the peers that this node lives"});
  CHECK(t.last<action::call>().input == contracts::encode(contracts::answer_accusation_args{1}));
  t.peer(1).accused_since = 0;
  t.done();
  CHECK(t.calls().size() == 1);
}

} // namespace peer_waits_test
