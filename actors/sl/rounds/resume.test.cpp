#include "actors/sl/rounds/testing/machine_bench.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <tuple>

namespace resume_test {

// Machines that are made in the middle of a session, and lost answers.

using namespace swarm;
using namespace swarm::rounds;
using namespace swarm::rounds::testing;
using contracts::peer_state;

namespace {

using lines = std::vector<std::string>;

/// A program that trains from model 9, the merge of round 2, in a training of two peers; its machine is new.
struct renewed : machine_bench {
  renewed() {
    peer(1).loss_round = peer(2).loss_round = 2;
    peer(1).last_round = peer(2).last_round = 2;
    view.head.round_num = 2;
    merge(9, 2);
  }
  void resume(std::uint64_t generation = 1, std::uint64_t base_round = 2) {
    step(event::program_opened{{}, "ours"});
    step(event::session_resumed{{generation, base_round, digest(9), {0.5, 0.75, 1, 4}, 16}});
  }
};

} // namespace

TEST_CASE("a machine that takes over a session registers nobody twice and answers no open twice") {
  renewed t;
  t.resume();
  t.look();
  CHECK(t.calls().empty());
  CHECK(t.count<action::answer_open>() == 0);
  t.sync(3);
  CHECK(t.last<action::call>().input
        == machine_bench::encode_check_in(
            {1, 3, t.digest(3), machine_bench::model_size, t.digest(77), 1, 2, false}));
}

TEST_CASE("a machine that takes over goes on where the contract says it is") {
  renewed t;
  t.in(2);
  SUBCASE("the model is not in yet") {
    t.resume();
    t.sync(3);
    t.look();
    CHECK(t.calls() == lines{"check in for round 3"});
  }
  SUBCASE("the model is in") {
    t.in(1);
    t.resume();
    t.sync(3);
    t.look();
    CHECK(t.calls().empty());
    t.merge(10, 2);
    t.look();
    t.fetched(10);
    CHECK(t.last<action::ask_loss>().round_num == 3);
  }
  SUBCASE("the round is closed, and this node leads") {
    t.in(1);
    t.close(1);
    t.resume();
    t.sync(3);
    t.look();
    CHECK(t.last<action::start_merge>().inputs.size() == 2);
  }
  SUBCASE("the round is merged: what the program waits for is its merge, not the next round's") {
    t.in(1);
    t.merge(10, 2);
    t.in(2);
    t.resume();
    t.sync(3);
    t.look();
    CHECK(t.calls().empty());
    t.fetched(10);
    CHECK(t.last<action::ask_loss>().digest == t.digest(10));
    CHECK(t.last<action::ask_loss>().generation == 1);
    t.loss();
    CHECK(t.last<action::answer_sync>().next_interval == 16);
    CHECK(t.calls() == lines{"report the loss of round 3"});
  }
  SUBCASE("the round was merged without it: its model goes into the next one") {
    t.merge(10, 2);
    t.resume();
    t.sync(3);
    t.look();
    CHECK(t.last<action::call>().input
          == machine_bench::encode_check_in(
              {1, 4, t.digest(3), machine_bench::model_size, t.digest(77), 1, 2, false}));
  }
}

TEST_CASE("a machine that takes over reports the loss that the contract does not have") {
  renewed t;
  t.peer(1).loss_round = 1;
  t.resume();
  t.look();
  CHECK(t.calls() == lines{"report the loss of round 2"});
}

TEST_CASE("a machine that takes over registers again where it is not listed") {
  renewed t;
  SUBCASE("it has left") {
    t.peer(1).state = peer_state::left;
    t.resume();
    t.look();
  }
  SUBCASE("the training was reset") {
    t.view = {};
    t.view.block_num = 20;
    t.view.head = {.generation = 2, .round_num = 1, .min_peers = 1, .merge_method = "mean"};
    t.resume();
    t.look();
  }
  CHECK(t.calls() == lines{"register as a peer of the training"});
  CHECK(t.count<action::answer_open>() == 0);
}

TEST_CASE("what was loaded in a training that was reset means nothing to the new one") {
  renewed t;
  t.view.head.generation = 2;
  t.resume();
  t.sync(3);
  t.look();
  t.fetched(9);
  CHECK(t.last<action::ask_loss>().round_num == 2); // as who joins late
}

TEST_CASE("a machine that takes over a finished program serves it to the end") {
  renewed t;
  t.view.head.phase = contracts::round_phase::complete;
  t.peer(1).state = t.peer(2).state = peer_state::finished;
  t.resume();
  t.close_program(3);
  t.look();
  t.fetched(9);                            // from this node's own store
  CHECK(t.count<action::ask_loss>() == 1); // it has trained on since it has loaded that
  CHECK(t.count<action::answer_close>() == 0);
  t.loss();
  CHECK(t.count<action::answer_close>() == 1);
  t.done(); // its loss is reported
  t.gone(true);
  CHECK(t.last<action::session_ended>().node_ends);
}

TEST_CASE("a program that goes before the contract was read again has left all the same") {
  renewed t;
  t.resume();
  t.gone(false);
  CHECK(t.calls() == lines{"leave the training"});
}

TEST_CASE("a check-in whose answer was lost is seen in the contract") {
  machine_bench t;
  t.open();
  t.sync(1);
  t.look();
  const auto lost = t.last<action::call>();
  t.clear();
  t.in(1);
  t.in(2);
  SUBCASE("while its round is collected") {}
  SUBCASE("when its round is merged") {
    t.merge(9, 2);
  }
  t.step(event::call_done{lost.id, false, 0, "started again"});
  t.look();
  t.pass(std::chrono::seconds(1));
  CHECK(t.calls().empty());
  if (t.view.head.merged_round == 0) t.merge(9, 2);
  t.look();
  t.fetched(9);
  CHECK(t.last<action::ask_loss>().digest == t.digest(9));
}

namespace {

/// A new program's node, in a training of which the last merge is model 9, of round 2. Peer 2 has led it and has left.
struct resuming : machine_bench {
  explicit resuming(bool resume = true) : asks{.resume = resume} {
    for (const std::uint8_t number : {1, 2}) {
      peer(number).state = peer_state::left;
      peer(number).last_round = peer(number).loss_round = 2;
    }
    view.head.round_num = 2;
    merge(9, 2);
  }
  void begin() {
    step(event::program_opened{asks, "ours"});
    look();
    if (view.head.phase == contracts::round_phase::complete) return;
    peer(1).state = peer_state::active;
    done();
  }
  session_params asks;
};

} // namespace

TEST_CASE("a program that resumes is told of the last merge when it opens, and begins with it") {
  resuming t;
  t.begin();
  CHECK(t.last<action::answer_open>().merged_round == 2);
  CHECK(t.last<action::answer_open>().node == "sl-1");
  t.sync(3);
  t.look();
  CHECK(t.last<action::fetch>().digest == t.digest(9));
  t.fetched(9);
  CHECK(t.last<action::ask_loss>().digest == t.digest(9));
  t.loss();
  CHECK(t.last<action::answer_sync>().merged_round == 2);
  CHECK(t.calls() == lines{"register as a peer of the training", "report the loss of round 2"});
  t.sync(4);
  t.look();
  CHECK(t.last<action::call>().input
        == machine_bench::encode_check_in(
            {1, 3, t.digest(4), machine_bench::model_size, t.digest(77), 1, 2, false}));
}

TEST_CASE("with a merge come the means of what the peers have reported last") {
  resuming t;
  t.begin();
  const auto reports = [&](std::uint8_t number, double loss, double metric) {
    auto& peer = t.peer(number);
    std::tie(peer.loss_round, peer.loss_micro) = std::pair(1u, contracts::to_micro(loss));
    peer.metric_micro = contracts::to_micro(metric);
  };
  t.peer(1).loss_round = 0; // it has not reported anything yet
  reports(2, 0.5, 0.25);
  reports(3, 1.5, 0.75);
  reports(4, std::numeric_limits<double>::quiet_NaN(), 0);
  t.sync(3);
  t.look();
  t.fetched(9);
  t.loss();
  const auto means = t.last<action::answer_sync>().means;
  REQUIRE(means);
  CHECK(means->peers == 2);
  CHECK(means->loss == doctest::Approx(1.0));
  CHECK(means->metric == doctest::Approx(0.5));
}

TEST_CASE("a program that resumes where nothing is merged begins as always") {
  machine_bench t;
  t.open({.resume = true});
  CHECK(t.last<action::answer_open>().merged_round == 0);
  t.sync(1);
  t.look();
  CHECK(t.calls().back() == "check in for round 1");
}

TEST_CASE(
    "a program that resumes waits for the last merge as long as nobody gives it, and is told who has it") {
  resuming t;
  t.begin();
  t.sync(3);
  t.look();
  for (int i = 0; i < 100; ++i) {
    t.fetch_fails(9);
    t.pass(std::chrono::seconds(5));
  }
  CHECK(t.calls() == lines{"register as a peer of the training"}); // it brings nothing of its own
  CHECK(t.count<action::fetch>() > 90);
  CHECK(t.machine.waits_for().find("start the SL of sl-2, which merged it") != std::string_view::npos);
  t.fetched(9);
  CHECK(t.count<action::ask_loss>() == 1);
}

TEST_CASE("a program that does not resume gives a lost merge up") {
  resuming t(false);
  t.begin();
  t.sync(3);
  t.look();
  for (int i = 0; i < 100; ++i) {
    t.fetch_fails(9);
    t.pass(std::chrono::seconds(5));
  }
  CHECK(t.calls().back() == "check in for round 3");
}

TEST_CASE("a program that resumes with other parameters is refused, even where it may ask for others") {
  resuming t;
  t.peer(1).organisation = 1;
  t.begin();
  t.step(event::program_synced{t.model(3, 78)});
  t.look();
  CHECK(t.last<action::refuse_layout>().resumes_from == 2);
  CHECK(t.last<action::refuse_layout>().other == t.digest(9));
  CHECK(t.calls().back() == "leave the training");
}

TEST_CASE(
    "of a training that is over a program gets the final model if it resumes, and is refused otherwise") {
  resuming t;
  t.view.head.phase = contracts::round_phase::complete;
  SUBCASE("it resumes") {
    t.begin();
    CHECK(t.last<action::answer_open>().merged_round == 2);
    t.sync(3);
    t.look();
    t.fetched(9);
    t.loss();
    CHECK(t.last<action::answer_sync>().training_over);
    CHECK(t.last<action::answer_sync>().merged_round == 2);
    t.step(event::program_gone{"it has the final model", true});
    t.pass(std::chrono::seconds(10));
    CHECK(t.count<action::session_ended>() == 1);
  }
  SUBCASE("it does not") {
    t.asks.resume = false;
    t.begin();
    CHECK(t.count<action::answer_open>() == 0);
    CHECK(t.last<action::refuse>().text.find("this training is over") != std::string::npos);
  }
}

TEST_CASE("a program that has resumed is one like all others") {
  resuming t;
  t.begin();
  t.sync(3);
  t.look();
  t.fetched(9);
  t.loss();
  t.sync(4);
  t.look();
  t.in(1);
  t.done();
  t.merge(10, 2);
  t.look();
  for (int i = 0; i < 20; ++i) {
    t.fetch_fails(10);
    t.pass(std::chrono::seconds(5));
  }
  CHECK(t.calls().back() == "check in for round 4"); // that merge is given up
}

} // namespace resume_test
