#include "actors/sl/rounds/arithmetic.hpp"
#include "actors/sl/rounds/testing/machine_bench.hpp"

#include <doctest/doctest.h>

namespace peer_machine_test {

// A session from its opening to its end, and what can go wrong with calls and views.

using namespace swarm;
using namespace swarm::rounds;
using namespace swarm::rounds::testing;
using namespace std::chrono_literals;
using contracts::peer_state;
using contracts::round_phase;

namespace {

using lines = std::vector<std::string>;

bool notes(const machine_bench& t, std::string_view text) {
  return std::any_of(t.actions.begin(), t.actions.end(), [&](const auto& one) {
    const auto* note = std::get_if<action::note>(&one);
    return note != nullptr && note->text.find(text) != std::string::npos;
  });
}

} // namespace

TEST_CASE("a program is let in once its node is registered") {
  machine_bench t;
  CHECK(!t.machine.in_session());
  CHECK(t.machine.waiting_for(t.now) == "no program");
  session_params params;
  params.min_peers = 3;
  params.weightage = 7;
  params.epochs_total = 5;
  params.on_train_end = contracts::on_train_end::active;
  t.step(event::program_opened{params});
  CHECK(t.machine.in_session());
  CHECK(t.count<action::refresh>() == 1);
  CHECK(t.calls().empty()); // nothing is known of the contract yet
  t.look();
  REQUIRE(t.calls() == lines{"register as a peer of the training"});
  CHECK(t.last<action::call>().input
        == contracts::encode_register_peer({3, "mean", 7, contracts::on_train_end::active, 5, true}));
  CHECK(t.count<action::answer_open>() == 0);
  t.pass(100ms, 5);
  CHECK(t.count<action::call>() == 1); // nothing is asked for twice
  t.peer(1);
  t.done();
  CHECK(t.count<action::answer_open>() == 1);
  CHECK(says(t, "waiting for the program's first sync"));
}

TEST_CASE("a refused registration is told to the program, once the contract has been read again") {
  machine_bench t;
  t.step(event::program_opened{});
  t.look();
  const auto refusal = "minPeers 2 is in force, peer asked for 1";
  SUBCASE("refused") {
    t.done(false, refusal);
    CHECK(t.last<action::refuse>().text == refusal);
    CHECK(!t.last<action::session_ended>().node_ends);
    CHECK(t.calls().size() == 1); // it has not got in, so it does not leave
    CHECK(!t.machine.in_session());
  }
  SUBCASE("refused because the training was complete just before") {
    t.view.head.phase = round_phase::complete;
    t.done(false, "the training is complete");
    REQUIRE(t.count<action::refuse>() == 1);
    CHECK(t.last<action::refuse>().text.find("swarm-inspect reset") != std::string::npos);
    CHECK(t.count<action::answer_open>() == 0);
  }
  SUBCASE("lost, not refused") {
    t.step(event::call_done{1, false, 0, "the SN cannot be reached"});
    CHECK(t.count<action::refuse>() == 0);
    CHECK(t.calls().size() == 1);
    t.pass(500ms, 2);
    CHECK(t.calls() == lines(2, "register as a peer of the training"));
  }
}

TEST_CASE("a sync is a check-in with the program's model") {
  machine_bench t;
  t.open();
  t.clear();
  t.sync(1, 4);
  t.look();
  CHECK(t.calls() == lines{"check in for round 1"});
  const auto input = t.last<action::call>().input;
  CHECK(input
        == machine_bench::encode_check_in(
            {1, 1, t.digest(1), machine_bench::model_size, t.digest(77), 4, 0, false}));
  CHECK(t.last<action::keep_models>().digests.contains(t.digest(1)));
  t.in(1, 4);
  t.peer(2);
  t.view.head.min_peers = 2;
  t.done();
  CHECK(t.calls().size() == 1);
  CHECK(says(t, "1 of at least 2 peers are in, waiting for sl-2"));
}

TEST_CASE("a round is closed without missing peers after the grace time") {
  machine_bench t;
  t.peer(2);
  t.peer(3);
  t.join({.min_peers = 2});
  t.view.head.min_peers = 2;
  t.look();
  t.pass(100s);
  CHECK(t.calls().empty()); // not enough peers
  t.in(2);
  t.look();
  CHECK(says(t, "still waiting for sl-3"));
  t.pass(29s);
  CHECK(t.calls().empty());
  t.pass(1s);
  REQUIRE(t.calls() == lines{"vote to close round 1 without sl-3"});
  CHECK(t.last<action::call>().input == contracts::encode_vote_close({1, 1}));
  t.done();
  t.pass(60s);
  CHECK(t.calls().size() == 1);
  SUBCASE("a round collected anew has forgotten the votes") {
    t.view.head.term = 2;
    t.look();
    CHECK(t.calls().size() == 2);
  }
  SUBCASE("the grace time begins anew in the next round") {
    t.merge(9, 2);
    t.look();
    t.fetched(9);
    t.loss();
    t.sync(1);
    t.look();
    t.in(1);
    t.in(2);
    t.done();
    t.clear();
    t.pass(29s);
    CHECK(t.calls().empty());
    t.pass(1s);
    CHECK(t.calls() == lines{"vote to close round 2 without sl-3"});
  }
}

TEST_CASE("a finished peer cuts nobody off who still trains") {
  machine_bench t;
  t.peer(2);
  t.open();
  t.close_program(1);
  t.look();
  CHECK(t.last<action::call>().input
        == machine_bench::encode_check_in(
            {1, 1, t.digest(1), machine_bench::model_size, t.digest(77), 1, 0, true}));
  t.in(1);
  t.done();
  t.clear();
  t.pass(300s);
  CHECK(t.calls().empty());
  t.view.silent.insert(t.account(2));
  t.look();
  CHECK(says(t, "sl-2 (no sign of life)"));
  CHECK(t.calls() == lines{"vote to close round 1 without sl-2 (no sign of life)"});
}

TEST_CASE("weightage 0 brings no model") {
  machine_bench t;
  t.open();
  t.close_program(1, 0);
  t.look();
  CHECK(t.last<action::call>().input == machine_bench::encode_check_in({1, 1, {}, 0, {}, 0, 0, true}));
}

TEST_CASE("a model with other parameters is refused, with a peer's model to compare with") {
  machine_bench t;
  t.open();
  t.clear();
  SUBCASE("before the first merge: that of a peer in the round") {
    t.in(2, 0); // brings none
    t.in(3);
    t.view.head.layout_digest = t.digest(78);
    t.look();
    t.sync(1);
    const auto& refusal = t.last<action::refuse_layout>();
    CHECK(refusal.own == t.digest(1));
    CHECK(refusal.other == t.digest(3));
    CHECK(refusal.other_size == machine_bench::model_size);
    REQUIRE(refusal.holders.size() == 1);
    CHECK(refusal.holders[0].endpoint == "host-3:30305");
  }
  SUBCASE("later: the last merge") {
    t.peer(2);
    t.merge(9, 2);
    t.view.head.layout_digest = t.digest(78);
    t.look();
    t.sync(1);
    CHECK(t.last<action::refuse_layout>().other == t.digest(9));
    REQUIRE(!t.last<action::refuse_layout>().holders.empty());
  }
  CHECK(t.calls() == lines{"leave the training"});
  CHECK(!t.machine.in_session());
}

TEST_CASE("a program that is gone: its node leaves") {
  machine_bench t;
  t.peer(2);
  t.join();
  SUBCASE("it died: the node waits for the next one") {
    t.gone(false);
    CHECK(t.calls() == lines{"leave the training"});
    CHECK(t.last<action::call>().input
          == contracts::encode_leave_peer({contracts::leave_reason::program_gone}));
    CHECK(!t.last<action::session_ended>().node_ends);
    CHECK(t.machine.is_engaged());
    t.step(event::program_opened{});
    t.look();
    CHECK(t.calls().size() == 1); // nothing before the node has left
    t.peer(1).state = peer_state::left;
    t.done();
    CHECK(t.calls() == lines{"leave the training", "register as a peer of the training"});
  }
  SUBCASE("it ended its session: so does the node, when it has left") {
    t.gone(true);
    CHECK(t.count<action::session_ended>() == 0);
    t.peer(1).state = peer_state::left;
    t.done();
    CHECK(t.last<action::session_ended>().node_ends);
    CHECK(t.last<action::session_ended>().text.find("before its end") != std::string::npos);
    CHECK(!t.machine.is_engaged());
  }
  SUBCASE("a leave that is lost is sent again, as the same call") {
    t.gone(true);
    const auto id = t.last<action::call>().id;
    t.step(event::call_done{id, false, 0, "lost"});
    CHECK(t.count<action::session_ended>() == 0);
    t.pass(1s);
    CHECK(t.calls().size() == 2);
    CHECK(t.last<action::call>().id == id);
    t.done();
    CHECK(t.count<action::session_ended>() == 1);
  }
  SUBCASE("a leave that is lost is sent again to the contract that it is for, whatever is opened meanwhile") {
    t.gone(false);
    CHECK(t.last<action::call>().contract == "ours");
    t.step(event::call_done{t.last<action::call>().id, false, 0, "lost"});
    t.step(event::program_opened{{}, "another"});
    t.look();
    t.clear();
    t.pass(1s);
    CHECK(t.calls() == lines{"leave the training"});
    CHECK(t.last<action::call>().contract == "ours");
    t.done();
    CHECK(t.calls() == lines{"leave the training", "register as a peer of the training"});
    CHECK(t.last<action::call>().contract == "another");
  }
  SUBCASE("while it is refused nobody waits") {
    t.gone(true);
    t.done(false, "has left this training");
    CHECK(t.count<action::session_ended>() == 1);
  }
}

TEST_CASE("a node that is told to stop leaves first") {
  machine_bench t;
  SUBCASE("without a session there is nothing to do") {
    t.step(event::shutdown{});
    CHECK(t.machine.may_stop());
    CHECK(t.actions.empty());
  }
  SUBCASE("in a session") {
    t.peer(2);
    t.join();
    t.step(event::shutdown{});
    CHECK(t.calls() == lines{"leave the training"});
    CHECK(!t.machine.may_stop());
    CHECK(!t.machine.in_session());
    t.peer(1).state = peer_state::left;
    t.done();
    CHECK(t.machine.may_stop());
    CHECK(t.count<action::session_ended>() == 0);
  }
  SUBCASE("while it leads a merge") {
    t.peer(2);
    t.join();
    t.in(2);
    t.close(1);
    t.look();
    t.step(event::shutdown{});
    CHECK(t.count<action::cancel_merge>() == 1);
    CHECK(t.calls() == lines{"leave the training"});
  }
  SUBCASE("with a merge that others still have to get from it") {
    t.peer(2);
    t.join();
    t.in(2);
    t.merge(9, 1);
    t.look();
    t.step(event::shutdown{});
    t.peer(1).state = peer_state::left;
    t.done();
    CHECK(!t.machine.may_stop());
    t.clear();
    t.pass(100ms);
    CHECK(t.count<action::refresh>() == 1);
    SUBCASE("until they have it") {
      t.peer(2).loss_round = 1;
      t.look();
      CHECK(t.machine.may_stop());
    }
    SUBCASE("or are gone") {
      t.view.silent.insert(t.account(2));
      t.look();
      CHECK(t.machine.may_stop());
    }
  }
}

TEST_CASE("views from before a transaction do not count") {
  machine_bench t;
  t.open();
  t.sync(1);
  t.look();
  const auto old = t.view;
  t.in(1);
  t.clear();
  t.step(event::call_done{2, true, 20, ""});
  t.step(event::view_read{old});
  CHECK(t.calls().empty()); // it would check in again
  CHECK(t.count<action::refresh>() == 2);
  SUBCASE("until a newer one comes") {
    t.view.block_num = 19;
    t.look();
    CHECK(t.calls().empty());
    CHECK(says(t, "round 1: enough peers are in"));
  }
  SUBCASE("unless the chain stays that short: it is another one") {
    for (int i = 0; i < 14; ++i) {
      t.pass(2s);
      t.step(event::view_read{old});
    }
    CHECK(t.count<action::refresh>() == 16); // without haste
    CHECK(t.calls().empty());
    t.pass(2s);
    auto other = old;
    other.peers.clear();
    t.step(event::view_read{other});
    CHECK(notes(t, "another chain"));
    CHECK(t.calls() == lines{"register as a peer of the training"});
  }
}

TEST_CASE("a view of another contract is not used for a new session") {
  machine_bench t;
  t.peer(2);
  t.join();
  t.view.head.phase = round_phase::complete;
  t.look();
  t.gone(false);
  t.done();
  t.clear();
  t.step(event::program_opened{});
  CHECK(t.count<action::answer_open>() == 0);
  CHECK(t.calls().empty());
}

TEST_CASE("what a program says stays here: the contract is told a code") {
  machine_bench t;
  t.open();
  SUBCASE("it ends its session") {
    t.step(event::program_gone{"born 1961-04-03", true, contracts::leave_reason::program_ended});
    CHECK(t.last<action::call>().input
          == contracts::encode_leave_peer({contracts::leave_reason::program_ended}));
  }
  SUBCASE("it fails") {
    t.step(event::program_gone{"born 1961-04-03", false, contracts::leave_reason::program_failed});
    CHECK(t.last<action::call>().input
          == contracts::encode_leave_peer({contracts::leave_reason::program_failed}));
  }
  CHECK(t.last<action::note>().text.find("born 1961-04-03") != std::string::npos);
}

TEST_CASE("answers to what was not asked change nothing") {
  machine_bench t;
  t.peer(2);
  t.join();
  t.step(event::call_done{999, true, 3, ""});
  t.step(event::call_done{998, false, 3, "?"});
  t.step(event::program_loss{});
  t.step(event::model_fetched{t.digest(5), t.digest(77)});
  t.step(event::merge_done{1, 0, merge_outcome{t.digest(5), 1, {t.account(1)}, {}}});
  t.step(event::leader_progress{1, 0, 4});
  t.step(event::leader_unheard{1, 0});
  CHECK(t.actions.empty());
  t.gone(false);
  t.clear();
  t.step(event::program_synced{t.model(1), 1});
  t.step(event::program_closing{t.model(1), 1});
  t.step(event::program_gone{"again", true});
  CHECK(t.actions.empty());
}

TEST_CASE("refused calls: the contract is read again, and nothing is repeated without a pause") {
  machine_bench t;
  t.open();
  t.sync(1);
  t.look();
  t.clear();
  t.step(event::call_done{2, false, 15, "round 1 is closed"});
  CHECK(t.calls().empty());
  CHECK(t.count<action::refresh>() == 1);
  CHECK(notes(t, "round 1 is closed"));
  t.view.block_num = 15;
  t.look();
  REQUIRE(t.calls() == lines{"check in for round 1"});
  t.done(false, "round 1 is closed");
  CHECK(t.calls().size() == 1);
  t.pass(900ms);
  CHECK(t.calls().size() == 1);
  t.pass(100ms);
  CHECK(t.calls().size() == 2);
}

TEST_CASE("a reset training is joined from its round 1") {
  machine_bench t;
  t.peer(2);
  t.join();
  t.in(2);
  t.merge(9, 2);
  t.look();
  t.fetched(9);
  REQUIRE(t.last<action::ask_loss>().round_num == 1);
  t.clear();
  const auto reset = [&t] {
    t.view.head = {.generation = 2, .round_num = 1, .min_peers = 1, .merge_method = "mean"};
    t.view.peers.clear();
    t.view.check_ins.clear();
    t.look();
  };
  SUBCASE("while the program evaluates a merge of the old one") {
    reset();
    CHECK(notes(t, "was reset"));
    CHECK(t.calls() == lines{"register as a peer of the training"});
    t.loss(); // of a round that the new training does not know
    CHECK(t.count<action::answer_sync>() == 1);
    CHECK(t.calls().size() == 1);
    t.peer(1);
    t.done();
    t.sync(3);
    t.look();
    CHECK(t.last<action::call>().input
          == machine_bench::encode_check_in(
              {2, 1, t.digest(3), machine_bench::model_size, t.digest(77), 1, 0, false}));
  }
  SUBCASE("while a check-in for the old one is under way") {
    t.loss();
    t.done();
    t.sync(3);
    t.look();
    REQUIRE(t.calls().back() == "check in for round 2");
    const auto id = t.last<action::call>().id;
    reset();
    t.step(event::call_done{id, true, t.view.block_num, ""});
    t.look();
    CHECK(t.calls().back() == "register as a peer of the training");
    t.peer(1);
    t.done();
    CHECK(t.calls().back() == "check in for round 1");
  }
}

TEST_CASE("the contract is looked at now and then while something is waited for") {
  machine_bench t;
  t.peer(2);
  t.join();
  t.pass(2s);
  CHECK(t.count<action::refresh>() == 1);
  t.pass(100ms, 19);
  CHECK(t.count<action::refresh>() == 1);
  t.pass(100ms);
  CHECK(t.count<action::refresh>() == 2);
}

} // namespace peer_machine_test
