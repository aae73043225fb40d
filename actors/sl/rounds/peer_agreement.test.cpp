#include "actors/sl/rounds/testing/machine_bench.hpp"

#include <doctest/doctest.h>

namespace peer_agreement_test {

// A program wants other parameters, or another layout, than those in force.

using namespace swarm;
using namespace swarm::rounds;
using namespace swarm::rounds::testing;
using namespace std::chrono_literals;
using contracts::leave_reason;
using contracts::peer_state;

namespace {

using lines = std::vector<std::string>;

/// Peer 1, of "Org 1", is here; peer 2, of "Org 2", has registered first.
struct two_organisations : machine_bench {
  two_organisations() {
    belongs(2, 2);
    belongs(1, 1);
  }
  void belongs(std::uint8_t number, std::uint16_t organisation) {
    peer(number).organisation = organisation;
    peer(number).organisation_name = fmt::format("Org {}", organisation);
  }
  void becomes(peer_state state, leave_reason why) {
    peer(1).state = state;
    peer(1).reason = why;
  }
};

struct odd_parameters : two_organisations {
  odd_parameters() {
    view.head.min_peers = 1024;
    becomes(peer_state::odd, leave_reason::other_min_peers);
    open({.min_peers = 2});
    sync(1);
    look();
  }
};

/// Peer 1 has checked in with layout 77, while 66 is in force.
struct odd_layout : two_organisations {
  odd_layout() {
    view.head.min_peers = 2;
    view.head.layout_digest = digest(66);
    in(2);
    open({.min_peers = 2});
    sync(1);
    look();
    becomes(peer_state::odd, leave_reason::other_parameters);
  }
};

} // namespace

TEST_CASE("a program with other parameters waits while organisations disagree, and goes on once most want "
          "the same") {
  odd_parameters t;
  CHECK(t.count<action::answer_open>() == 1);
  CHECK(t.calls() == lines{"register as a peer of the training"});
  CHECK(says(t, "it asks for another minPeers. In force are minPeers 1024 and mergeMethod 'mean', with sl-2 "
                "(host-2:30305, Org 2)"));
  CHECK(t.last<action::note>().warning);
  t.pass(10s, 11);
  CHECK(t.count<action::refuse>() == 0);
  t.peer(1).state = peer_state::active;
  t.peer(2).state = peer_state::left;
  t.peer(2).reason = leave_reason::other_min_peers;
  t.view.head.min_peers = 2;
  t.look();
  CHECK(t.calls().back() == "check in for round 1");
  t.in(1);
  t.done();
  CHECK(says(t, "sl-2 (host-2:30305, Org 2) was refused: it asks for another minPeers"));
}

TEST_CASE("it does not wait for ever") {
  odd_parameters t;
  t.clear();
  t.pass(10s, 12);
  CHECK(t.calls() == lines{"leave the training"});
  CHECK(t.last<action::call>().input == contracts::encode_leave_peer({leave_reason::other_min_peers}));
  CHECK(t.last<action::refuse>().text.find("minPeers 1024") != std::string::npos);
  CHECK(!t.machine.in_session());
}

TEST_CASE("a program that is outvoted is refused, and its node says nothing more") {
  odd_parameters t;
  t.clear();
  t.becomes(peer_state::left, leave_reason::other_min_peers);
  t.look();
  CHECK(t.calls().empty());
  CHECK(t.last<action::refuse>().text.find("Most organisations want minPeers 1024") != std::string::npos);
  CHECK(!t.machine.in_session());
}

TEST_CASE("a layout that is not in force is brought where there are organisations, and waits outside") {
  odd_layout t;
  REQUIRE(t.calls().back() == "check in for round 1");
  t.done();
  CHECK(says(t, "its model has other parameters"));
  CHECK(t.count<action::refuse_layout>() == 0);
  SUBCASE("until it is in force") {
    t.view.head.layout_digest = t.digest(77);
    t.peer(1).state = peer_state::active;
    t.in(1);
    t.look();
    CHECK(says(t, "round 1: enough peers are in"));
  }
  SUBCASE("until it is outvoted") {
    t.becomes(peer_state::left, leave_reason::other_parameters);
    t.clear();
    t.look();
    CHECK(t.count<action::refuse_layout>() == 1);
    CHECK(t.calls().empty());
  }
  SUBCASE("for as long as it may") {
    t.clear();
    t.pass(10s, 13);
    CHECK(t.count<action::refuse_layout>() == 1);
    CHECK(t.calls() == lines{"leave the training"});
  }
}

TEST_CASE("a layout that the contract does not take even as a wish is refused") {
  two_organisations t;
  t.view.head.layout_digest = t.digest(66);
  t.in(2);
  t.open();
  t.sync(1);
  t.look();
  REQUIRE(t.calls().back() == "check in for round 1");
  t.done(false, "layoutDigest is in force");
  CHECK(t.last<action::refuse_layout>().other == t.digest(2));
  CHECK(t.calls()
        == lines{"register as a peer of the training", "check in for round 1", "leave the training"});
  CHECK(!t.machine.in_session());
}

TEST_CASE("a newcomer to a training of another layout asks for its own first") {
  two_organisations t;
  t.merge(9, 2);
  t.view.head.layout_digest = t.digest(66);
  t.open();
  t.sync(1);
  t.look();
  CHECK(t.calls().back() == "check in for round 2");
  CHECK(t.count<action::refuse_layout>() == 0);
}

} // namespace peer_agreement_test
