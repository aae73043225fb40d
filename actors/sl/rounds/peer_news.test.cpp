#include "actors/sl/rounds/testing/machine_bench.hpp"

#include <doctest/doctest.h>

// What a program and its user hear: refusals with their remedies, notices, for whom is being waited.

using namespace swarm;
using namespace swarm::rounds;
using namespace swarm::rounds::testing;
using contracts::peer_state;

namespace {

using lines = std::vector<std::string>;

bool says(const machine_bench& t, std::string_view text) {
  return t.machine.waiting_for(t.now).find(text) != std::string::npos;
}

} // namespace

TEST_CASE("a node that was left out of a merge is told so, once, with the answer to the sync that brought "
          "the model") {
  machine_bench t;
  for (std::uint8_t number : {2, 3, 4})
    t.in(number);
  t.join();
  t.close(2);
  t.look();
  CHECK(t.machine.brought_to() == 1);
  t.view.brought_to = {
      .round_num = 1,
      .excluded = {t.account(3), t.account(1)},
      .reasons = {contracts::exclusion_reason::not_available, contracts::exclusion_reason::not_finite}};
  t.merge(9, 2);
  t.look();
  t.fetched(9);
  t.loss();
  CHECK(t.last<action::answer_sync>().notice
        == "this node's model was left out of the merge of round 1: not finite");
  t.sync(5);
  t.look();
  t.in(1);
  t.done();
  CHECK(t.machine.brought_to() == 2);
  t.merge(10, 2);
  SUBCASE("a merge that has not been read says nothing") {}
  SUBCASE("nor one that it is in") {
    t.view.brought_to = {.round_num = 2,
                         .contributors = {t.account(1)},
                         .excluded = {t.account(3)},
                         .reasons = {contracts::exclusion_reason::not_available}};
  }
  t.look();
  t.fetched(10);
  t.loss();
  CHECK(t.count<action::answer_sync>() == 2);
  CHECK(t.last<action::answer_sync>().notice.empty());
}

TEST_CASE("a peer that brings no model is not told of any merge") {
  machine_bench t;
  t.in(2);
  t.open();
  t.sync(1, 0);
  t.look();
  t.in(1, 0);
  t.done();
  CHECK(t.machine.brought_to() == 0);
}

TEST_CASE("peers that all bring nothing in the end are refused once the first round is closed") {
  machine_bench t;
  t.peer(2).train_end = contracts::on_train_end::inactive;
  t.in(2);
  t.view.head.min_peers = 3;
  t.open({.min_peers = 3, .on_train_end = contracts::on_train_end::inactive});
  t.peer(1).train_end = contracts::on_train_end::inactive;
  t.sync(1);
  t.look();
  t.in(1);
  t.done();
  t.clear();
  CHECK(says(t, "waiting for more to join")); // who may be another
  SUBCASE("all of them") {
    t.in(3);
    t.peer(3).train_end = contracts::on_train_end::inactive;
    t.close(2);
    SUBCASE("also when it has seen the others leave for it") {
      t.peer(2).state = peer_state::left;
      t.close(3, 1);
    }
    SUBCASE("or when it sees the merge only") {
      t.merge(9, 2);
    }
    SUBCASE("before it merges itself") {
      t.close(1);
    }
    t.look();
    REQUIRE(t.count<action::refuse>() == 1);
    CHECK(t.last<action::refuse>().text.find("'inactive' on every node") != std::string::npos);
    CHECK(t.calls() == lines{"leave the training"});
    CHECK(t.count<action::start_merge>() == 0);
    CHECK(t.count<action::ask_loss>() == 0);
    CHECK(!t.last<action::session_ended>().node_ends);
    CHECK(says(t, "no program"));
  }
  SUBCASE("all but one") {
    t.in(3);
    t.close(2);
    t.look();
    CHECK(t.count<action::refuse>() == 0);
  }
}

TEST_CASE("a program that comes while no SN answers: that is what its node waits for") {
  machine_bench t;
  t.step(event::program_opened{});
  CHECK(says(t, "waiting for an SN to tell how the training stands"));
}

TEST_CASE("who waits for more peers hears of those that have left") {
  machine_bench t;
  t.view.head.min_peers = 2;
  t.join({.min_peers = 2});
  t.peer(2).state = peer_state::left;
  t.look();
  CHECK(says(t, "waiting for more to join; sl-2 left, or its program was refused"));
}
