#include "actors/sl/rounds/testing/closed_round.hpp"

#include <doctest/doctest.h>

namespace peer_ahead_test {

using namespace swarm;
using namespace swarm::rounds;
using namespace swarm::rounds::testing;
using namespace std::chrono_literals;
using contracts::round_phase;
using contracts::verify_mode;

namespace {

/// Peers 1 to 4 are in round 1, whose merges are checked behind, and peer 2 proposes model 50, which comes to this node, peer 1.
struct proposed_ahead : closed_round {
  explicit proposed_ahead(bool takes_back = true, verify_mode verify = verify_mode::behind)
      : closed_round(2, {.takes_back = takes_back}) {
    clear();
    view.head.verify = verify;
    propose(50);
    look();
    fetched(50);
  }
  void propose(std::uint8_t number) {
    view.head.phase = round_phase::verifying;
    view.proposal = {.round_num = 1, .term = view.head.term, .digest = digest(number), .size = model_size};
    view.proposal.contributors = {account(1), account(2), account(3), account(4)};
    view.checks.round_num = 1;
    view.checks.term = view.head.term;
    view.checks.chunks = 6;
    view.checks.attempt = 1;
    view.checks.lasts = contracts::check_seconds;
    view.checks.seats = {{account(3), 1}, {account(1), 2}, {account(4), 3}};
    view.checks.awaited = {account(1), account(3), account(4)};
  }
  void found(check_outcome what = {}) {
    step(event::check_done{last<action::start_check>().task.id, std::move(what)});
  }
  /// Another leader's merge of the round is accepted.
  void merge_another() {
    merge(60, 3);
    clear();
    look();
  }
  std::size_t reports() const {
    const auto all = calls();
    return static_cast<std::size_t>(std::ranges::count(all, "report the loss of round 1"));
  }
};

} // namespace

TEST_CASE("a program trains on with what is proposed while its node checks it") {
  proposed_ahead t;
  REQUIRE(t.count<action::ask_loss>() == 1);
  CHECK(t.last<action::ask_loss>().digest == t.digest(50));
  CHECK(t.last<action::ask_loss>().round_num == 1);
  CHECK(t.last<action::ask_loss>().ahead);
  CHECK(t.count<action::answer_sync>() == 0);
  t.loss();
  REQUIRE(t.count<action::answer_sync>() == 1);
  CHECK(t.last<action::answer_sync>().merged_round == 1);
  CHECK(t.machine.session_word() == "training");
  CHECK(t.reports() == 0); // it is nobody's merge yet
  t.found();
  CHECK(t.calls() == lines{"attest the merge of round 1"});
  t.view.checks.awaited = {t.account(3), t.account(4)};
  t.done();
  SUBCASE("and is done with the round once it is accepted") {
    t.merge(50, 2);
    t.clear();
    t.look();
    CHECK(t.reports() == 1);
    CHECK(t.count<action::ask_loss>() == 0);
    t.done();
    t.clear();
    t.sync(7);
    t.look();
    REQUIRE(t.calls() == lines{"check in for round 2"});
    CHECK(last_call<contracts::check_in_args>(t).base_round == 1);
  }
  SUBCASE("and waits where it syncs before that") {
    t.clear();
    t.sync(7);
    t.pass(1s, 3);
    CHECK(t.machine.session_word() == "waiting");
    CHECK(t.calls().empty());
    CHECK(t.count<action::ask_loss>() == 0);
    t.merge(50, 2);
    t.look();
    REQUIRE(t.calls() == lines{"report the loss of round 1", "check in for round 2"});
    CHECK(t.count<action::ask_loss>() == 0);
  }
}

TEST_CASE("what is accepted while a program still evaluates it needs nothing more") {
  proposed_ahead t;
  t.merge(50, 2);
  t.clear();
  t.look();
  CHECK(t.count<action::ask_loss>() == 0);
  t.loss();
  CHECK(t.count<action::answer_sync>() == 1);
  CHECK(t.reports() == 1);
}

TEST_CASE("another merge is given to the program at its next sync, and what it had before comes back first") {
  proposed_ahead t;
  SUBCASE("accepted while it trains") {
    t.loss();
    t.merge_another();
    CHECK(t.count<action::note>() == 1);
    t.clear();
    t.sync(7);
  }
  SUBCASE("accepted while it waits with the next model") {
    t.loss();
    t.sync(7);
    t.merge_another();
  }
  SUBCASE("accepted while it evaluates the other one") {
    t.merge_another();
    CHECK(t.count<action::ask_loss>() == 0);
    t.loss();
    CHECK(t.count<action::answer_sync>() == 1);
    t.clear();
    t.sync(7);
  }
  CHECK(t.reports() == 0);
  t.look();
  CHECK(t.calls().empty()); // it brings nothing that it has made of what was false
  CHECK(t.last<action::fetch>().digest == t.digest(60));
  t.fetched(60);
  REQUIRE(t.count<action::ask_loss>() == 1);
  CHECK(t.last<action::ask_loss>().digest == t.digest(60));
  CHECK(t.last<action::ask_loss>().goes_back);
  CHECK_FALSE(t.last<action::ask_loss>().ahead);
  t.loss();
  CHECK(t.reports() == 1);
  CHECK(t.count<action::answer_sync>() == 1);
  t.clear();
  t.sync(8);
  CHECK(last_call<contracts::check_in_args>(t).base_round == 1);
}

TEST_CASE(
    "the model of the round is brought on although the program trains: in another term, and collected anew") {
  proposed_ahead t;
  t.loss();
  t.clear();
  SUBCASE("this node leads the next term") {
    t.close(1, 1);
    t.look();
    CHECK(t.count<action::start_merge>() == 1);
  }
  SUBCASE("the round is collected once more") {
    t.view.head.phase = round_phase::collecting;
    t.view.head.term = 1;
    t.view.check_ins.clear();
    t.look();
    REQUIRE(t.calls() == lines{"check in for round 1"});
    CHECK(last_call<contracts::check_in_args>(t).commitment
          == machine_bench::commitment_to(t.account(1), 1, 1, t.digest(1)));
  }
}

TEST_CASE("a program that ends its training with what is taken back brings nothing") {
  proposed_ahead t;
  t.loss();
  SUBCASE("it ends before that is known") {
    t.close_program(7);
    t.merge_another();
  }
  SUBCASE("it ends after") {
    t.merge_another();
    t.clear();
    t.close_program(7);
  }
  t.look();
  REQUIRE(t.calls() == lines{"check in for round 2"});
  CHECK(last_call<contracts::check_in_args>(t).weightage == 0);
}

TEST_CASE(
    "a merge is loaded before it is accepted only where that was agreed on and nothing speaks against it") {
  SUBCASE("the program cannot take it back") {
    CHECK(proposed_ahead(false).count<action::ask_loss>() == 0);
  }
  SUBCASE("merges are verified before") {
    CHECK(proposed_ahead(true, verify_mode::before).count<action::ask_loss>() == 0);
  }
  SUBCASE("its training ends") {
    closed_round t(2, {.takes_back = true});
    t.view.head.verify = verify_mode::behind;
    t.close_program(7);
    t.clear();
    t.view.head.phase = round_phase::verifying;
    t.view.proposal = {.round_num = 1, .digest = t.digest(50), .size = machine_bench::model_size};
    t.view.checks.round_num = 1;
    t.view.checks.attempt = 1;
    t.look();
    t.fetched(50);
    CHECK(t.count<action::ask_loss>() == 0);
  }
  SUBCASE("this node has found it wrong, or another one says so") {
    closed_round t(2, {.takes_back = true});
    t.view.head.verify = verify_mode::behind;
    t.view.head.phase = round_phase::disputed;
    t.view.proposal = {.round_num = 1, .digest = t.digest(50), .size = machine_bench::model_size};
    t.view.checks = {.round_num = 1, .attempt = 1};
    t.look();
    t.fetched(50);
    CHECK(t.count<action::ask_loss>() == 0);
  }
}

TEST_CASE("what others accept although this node finds it wrong ends a program that has it already") {
  proposed_ahead t;
  t.loss();
  t.found({check_outcome::wrong_chunk, 4, {}, "other bytes"});
  t.merge(50, 2);
  t.clear();
  t.look();
  CHECK(t.count<action::refuse>() == 1);
  CHECK(t.last<action::refuse>().text.find("was accepted, this node finds it wrong: other bytes")
        != std::string::npos);
}

TEST_CASE("a reset forgets what was given ahead, and the program takes part from its next sync on") {
  proposed_ahead t;
  const auto reset = [&] {
    t.view.head = {.generation = 2, .round_num = 1, .min_peers = 1, .merge_method = "mean"};
    t.view.check_ins.clear();
    t.view.proposal = {};
    t.view.checks = {};
    t.view.peers.clear();
    t.clear();
    t.look();
    t.peer(1);
    t.done();
  };
  SUBCASE("while it trains") {
    t.loss();
    reset();
    CHECK(t.calls() == lines{"register as a peer of the training"});
    t.clear();
    t.sync(7);
  }
  SUBCASE("while it evaluates") {
    reset();
    t.loss();
    CHECK(t.count<action::answer_sync>() == 1);
    t.clear();
    t.sync(7);
  }
  t.look();
  REQUIRE(t.calls() == lines{"check in for round 1"});
  CHECK(last_call<contracts::check_in_args>(t).base_round == 0);
}

TEST_CASE("a machine that takes over knows what its program was given ahead") {
  closed_round t(2);
  machine_bench renewed;
  renewed.view = t.view;
  renewed.view.head.verify = verify_mode::behind;
  renewed.view.head.phase = round_phase::verifying;
  renewed.step(event::program_opened{{.takes_back = true}, "ours"});
  renewed.step(event::session_resumed{{1, 1, renewed.digest(50), {0.5, 0.75, 1, 4}, 16}});
  renewed.look();
  CHECK(renewed.calls().empty());
  SUBCASE("it is accepted") {
    renewed.merge(50, 2);
    renewed.look();
    CHECK(renewed.calls() == lines{"report the loss of round 1"});
  }
  SUBCASE("it is not") {
    renewed.merge(60, 2);
    renewed.look();
    renewed.sync(7);
    renewed.look();
    renewed.fetched(60);
    CHECK(renewed.last<action::ask_loss>().goes_back);
  }
}

} // namespace peer_ahead_test
