#include "actors/sl/rounds/testing/machine_bench.hpp"

#include <doctest/doctest.h>

namespace peer_end_test {

// The end of a training: what finished peers bring, who gets the final model, when a node may go.

using namespace swarm;
using namespace swarm::rounds;
using namespace swarm::rounds::testing;
using namespace std::chrono_literals;
using contracts::on_train_end;
using contracts::peer_state;

namespace {

using lines = std::vector<std::string>;

/// A program that was merged once with peer 2, and has closed with model 5.
struct finished : machine_bench {
  explicit finished(on_train_end mode) {
    in(2);
    join({.on_train_end = mode});
    merge(9, 2);
    look();
    fetched(9);
    loss();
    done();
    clear();
    close_program(5, mode == on_train_end::inactive ? 0 : 1);
    look();
  }
  /// In round 2, which merges to `number` and ends the training.
  void complete(std::uint8_t number) {
    in(1).finished = true;
    done();
    merge(number, 2, true);
    peer(1).state = peer(2).state = peer_state::finished;
    look();
  }
};

/// It has the final model, number 11, and has answered its program.
struct with_final_model : finished {
  with_final_model() : finished(on_train_end::snapshot) {
    complete(11);
    fetched(11);
    clear();
    loss();
  }
};

} // namespace

TEST_CASE("snapshot: a finished peer brings its last model each round") {
  finished t(on_train_end::snapshot);
  CHECK(t.last<action::call>().input
        == machine_bench::encode_check_in(
            {1, 2, t.digest(5), machine_bench::model_size, t.digest(77), 1, 1, true}));
  t.in(1);
  t.done();
  t.merge(10, 2);
  t.clear();
  t.look();
  CHECK(t.last<action::call>().input
        == machine_bench::encode_check_in(
            {1, 3, t.digest(5), machine_bench::model_size, t.digest(77), 1, 2, true}));
  CHECK(t.count<action::fetch>() == 0); // its program is left alone until the end
  CHECK(t.count<action::ask_loss>() == 0);
}

TEST_CASE("inactive: a finished peer is counted but brings nothing") {
  finished t(on_train_end::inactive);
  CHECK(t.last<action::call>().input == machine_bench::encode_check_in({1, 2, {}, 0, {}, 0, 1, true}));
}

TEST_CASE("active: a finished peer passes on the last merge") {
  finished t(on_train_end::active);
  CHECK(t.last<action::call>().input
        == machine_bench::encode_check_in(
            {1, 2, t.digest(9), machine_bench::model_size, t.digest(77), 1, 1, true}));
  t.in(1);
  t.done();
  t.merge(10, 2);
  t.clear();
  t.look();
  CHECK(t.calls().empty());
  CHECK(t.last<action::fetch>().digest == t.digest(10));
  SUBCASE("once it has it") {
    t.fetched(10);
    CHECK(t.last<action::call>().input
          == machine_bench::encode_check_in(
              {1, 3, t.digest(10), machine_bench::model_size, t.digest(77), 1, 2, true}));
  }
  SUBCASE("or its own, when nobody gives the merge") {
    for (int i = 0; i < 20 && t.calls().empty(); ++i) {
      t.fetch_fails(10);
      t.pass(5s);
    }
    CHECK(t.last<action::call>().input
          == machine_bench::encode_check_in(
              {1, 3, t.digest(5), machine_bench::model_size, t.digest(77), 1, 2, true}));
  }
}

TEST_CASE("the final model is loaded before the close is answered") {
  finished t(on_train_end::snapshot);
  t.complete(11);
  CHECK(t.last<action::fetch>().digest == t.digest(11));
  CHECK(t.count<action::answer_close>() == 0);
  t.fetched(11);
  CHECK(t.last<action::ask_loss>().digest == t.digest(11));
  t.clear();
  t.loss();
  CHECK(t.calls() == lines{"report the loss of round 2"});
  CHECK(t.count<action::answer_close>() == 1);
  CHECK(t.count<action::session_ended>() == 0);
  CHECK(says(t, "waiting until"));
}

TEST_CASE("a training is over when everybody has the final model and the program its answer") {
  with_final_model t;
  t.peer(1).loss_round = t.peer(2).loss_round = 2;
  t.done();
  CHECK(t.count<action::session_ended>() == 0); // the program has yet to read its answer
  SUBCASE("and the program closes its pipes") {
    t.gone(true);
  }
  SUBCASE("and the program takes its time") {
    t.pass(5s);
  }
  REQUIRE(t.count<action::session_ended>() == 1);
  CHECK(t.last<action::session_ended>().node_ends);
  CHECK(t.last<action::session_ended>().text == "All peers and Swarm training rounds finished after round 2");
}

TEST_CASE("who has the final model waits for those who do not have it yet") {
  with_final_model t;
  t.peer(1).loss_round = 2;
  t.done();
  t.gone(true);
  t.pass(100s);
  CHECK(t.count<action::session_ended>() == 0);
  CHECK(says(t, "waiting until sl-2 has the final model"));
  SUBCASE("it gets it") {
    t.peer(2).loss_round = 2;
    t.look();
    CHECK(t.last<action::session_ended>().text
          == "All peers and Swarm training rounds finished after round 2");
  }
  SUBCASE("it dies") {
    t.view.silent.insert(t.account(2));
    t.look();
    CHECK(t.last<action::session_ended>().text
          == "Swarm training rounds finished after round 2, without sl-2 (no sign of life)");
  }
  SUBCASE("it leaves, and another one was lost before") {
    t.peer(2).state = peer_state::left;
    t.peer(3).state = peer_state::absent;
    t.look();
    CHECK(t.last<action::session_ended>().text
          == "Swarm training rounds finished after round 2, without sl-2 (left), sl-3 (absent)");
  }
  SUBCASE("the training is reset meanwhile") {
    t.view.head.generation = 2;
    t.look();
    CHECK(t.count<action::session_ended>() == 1);
  }
}

TEST_CASE("a node that is told to stop waits as long as others need its final model") {
  with_final_model t;
  t.peer(1).loss_round = 2;
  t.done();
  t.step(event::shutdown{});
  CHECK(!t.machine.may_stop());
  t.peer(2).loss_round = 2;
  t.peer(1).state = peer_state::left;
  t.done();
  CHECK(t.machine.may_stop());
}

TEST_CASE("a peer that came back has to say once more that it has the last merge") {
  finished t(on_train_end::inactive);
  t.in(1, 0).finished = true;
  t.done();
  t.view.head.phase = contracts::round_phase::complete; // without another merge
  t.view.check_ins.clear();
  t.peer(1).state = t.peer(2).state = peer_state::finished;
  t.peer(2).loss_round = 1;
  t.clear();
  SUBCASE("as the contract has forgotten it") {
    t.peer(1).loss_round = 0;
  }
  SUBCASE("also when the contract knows") {
    t.peer(1).loss_round = 1;
  }
  t.look();
  CHECK(t.count<action::answer_close>() == 0);
  REQUIRE(t.count<action::ask_loss>() == 1); // its program has trained on since it has loaded that
  CHECK(t.last<action::ask_loss>().digest == t.digest(9));
  t.loss();
  CHECK(t.calls() == lines{"report the loss of round 1"});
  CHECK(t.count<action::ask_loss>() == 1);
  CHECK(t.count<action::answer_close>() == 1);
}

TEST_CASE("a last merge that changed nothing is loaded all the same") {
  finished t(on_train_end::snapshot);
  t.complete(9);
  CHECK(t.count<action::ask_loss>() == 1);
  CHECK(t.last<action::ask_loss>().round_num == 2);
}

TEST_CASE("a program that begins after the end is refused at once, with the remedy") {
  machine_bench t;
  t.peer(2).state = peer_state::finished;
  t.merge(9, 2, true);
  t.step(event::program_opened{{}, "second-run"});
  t.look();
  CHECK(t.calls().empty()); // a complete training takes no peers
  CHECK(t.count<action::answer_open>() == 0);
  REQUIRE(t.count<action::refuse>() == 1);
  CHECK(t.last<action::refuse>().text.find("swarm-inspect reset second-run") != std::string::npos);
  CHECK(!t.last<action::session_ended>().node_ends); // it trains again once the contract is reset
  t.view.head = {.generation = 2, .round_num = 1, .min_peers = 1, .merge_method = "mean"};
  t.view.peers.clear();
  t.clear();
  t.step(event::program_opened{{}, "second-run"});
  t.look();
  CHECK(t.calls() == lines{"register as a peer of the training"});
}

TEST_CASE(
    "a program that was let in and syncs after the end gets the final model and goes on without syncs") {
  machine_bench t;
  t.peer(2).loss_round = 1;
  t.peer(2).state = peer_state::finished;
  t.step(event::program_opened{});
  t.step(event::session_resumed{{.interval = 4}});
  t.merge(9, 2, true);
  t.look();
  CHECK(t.calls().empty());
  t.sync(1);
  t.look();
  t.fetched(9);
  CHECK(t.count<action::ask_loss>() == 1);
  t.loss();
  CHECK(t.last<action::answer_sync>().training_over);
  CHECK(t.calls().empty()); // nor their losses
  t.close_program(5);       // as it has trained on
  t.look();
  CHECK(t.count<action::ask_loss>() == 2);
  CHECK(t.count<action::answer_close>() == 0);
  t.loss();
  CHECK(t.count<action::answer_close>() == 1);
  t.gone(true);
  CHECK(t.last<action::session_ended>().node_ends);
}

TEST_CASE("a training that ended without a merge has no model to give") {
  machine_bench t;
  t.open();
  t.close_program(1, 0);
  t.look();
  t.view.head.phase = contracts::round_phase::complete;
  t.peer(1).state = peer_state::finished;
  t.done();
  CHECK(t.count<action::answer_close>() == 1);
  CHECK(t.count<action::ask_loss>() == 0);
}

TEST_CASE("a final model that nobody gives: the program hears who had it") {
  finished t(on_train_end::snapshot);
  t.complete(11);
  t.view.silent.insert(t.account(2));
  t.look();
  for (int i = 0; i < 100 && t.count<action::fetch>() > 0; ++i) {
    t.clear();
    t.fetch_fails(11);
    t.pass(5s);
  }
  REQUIRE(t.count<action::refuse>() == 1);
  CHECK(t.last<action::refuse>().text.find("sl-2 (no sign of life)") != std::string::npos);
  CHECK(t.calls() == lines{"leave the training"});
  CHECK(!t.last<action::session_ended>().node_ends);
}

TEST_CASE("a program killed while others go on: the node says so, and not that all is finished") {
  finished t(on_train_end::snapshot);
  t.done();
  t.clear();
  t.gone(true);
  t.peer(1).state = peer_state::left;
  t.done();
  CHECK(t.last<action::session_ended>().text.find("finished") == std::string::npos);
}

TEST_CASE("a process leaves for the one before it, whatever has become of that") {
  machine_bench t;
  t.step(event::former_session{"former"});
  CHECK(t.calls() == lines{"leave the training"});
  CHECK(t.last<action::call>().contract == "former");
  CHECK(t.machine.is_engaged());
  t.step(event::program_opened{});
  t.look();
  CHECK(t.calls().size() == 1);
  t.done(false, "is no peer of generation 1: call registerPeer first");
  CHECK(t.calls() == lines{"leave the training", "register as a peer of the training"});
  CHECK(t.count<action::refuse>() == 0);
}

TEST_CASE("a program that dies before its node is registered") {
  machine_bench t;
  t.step(event::program_opened{});
  SUBCASE("nothing was sent") {
    t.gone(false);
    CHECK(t.calls().empty());
  }
  SUBCASE("the registration is under way") {
    t.look();
    const auto registration = t.last<action::call>().id;
    t.gone(false);
    CHECK(t.calls() == lines{"register as a peer of the training", "leave the training"});
    t.step(event::call_done{registration, true, 11, ""});
    CHECK(t.calls().size() == 2);
  }
  CHECK(t.count<action::session_ended>() == 1);
}

} // namespace peer_end_test
