#include "actors/sl/rounds/testing/closed_round.hpp"

#include <doctest/doctest.h>

namespace peer_beside_test {

using namespace swarm;
using namespace swarm::rounds;
using namespace swarm::rounds::testing;
using namespace std::chrono_literals;
using contracts::exclusion_reason;
using contracts::round_phase;

namespace {

/// Peers 1 to 4 are in round 1 with small models, and peer 2 leads. This node is peer 1.
struct small_round : machine_bench {
  explicit small_round(std::uint64_t size = 500) {
    for (std::uint8_t number : {2, 3, 4})
      in(number);
    join();
    for (auto& one : view.check_ins)
      one.size = size;
    close(2);
  }
  merge_outcome outcome(std::uint8_t number) const {
    return {digest(number), 500, {account(1), account(2), account(3), account(4)}, {}};
  }
  void made(result<merge_outcome> what, std::uint32_t term = 0) {
    step(event::merge_done{1, term, std::move(what)});
  }
  void propose(std::uint8_t number) {
    view.head.phase = round_phase::verifying;
    view.proposal = {.round_num = 1, .term = view.head.term, .digest = digest(number), .size = 500};
    view.proposal.contributors = {account(4), account(1), account(2), account(3)};
    view.checks.round_num = 1;
    view.checks.term = view.head.term;
    view.checks.chunks = 1;
    view.checks.attempt = 1;
    view.checks.lasts = contracts::check_seconds;
    view.checks.seats = {{account(3), 1}, {account(1), 2}, {account(4), 3}};
    view.checks.awaited = {account(1), account(3), account(4)};
    clear();
    look();
  }
};

} // namespace

TEST_CASE("a small merge is made beside its leader, and then only compared") {
  small_round t;
  t.look();
  REQUIRE(t.count<action::start_merge>() == 1);
  const auto& start = t.last<action::start_merge>();
  CHECK_FALSE(start.leads);
  CHECK(start.inputs.size() == 4);
  CHECK(says(t, "waiting for sl-2 to merge"));
  t.pass(1s, 3);
  CHECK(t.count<action::start_merge>() == 1);
  t.made(t.outcome(50));
  CHECK(t.calls().empty()); // another one leads
  t.propose(50);
  CHECK(t.calls() == lines{"attest the merge of round 1"});
  CHECK(t.count<action::start_check>() == 0);
  CHECK(t.count<action::fetch>() == 0);
}

TEST_CASE("what is not the same is checked") {
  small_round t;
  t.look();
  SUBCASE("another model") {
    t.made(t.outcome(50));
    t.propose(51);
  }
  SUBCASE("another one left out") {
    auto own = t.outcome(50);
    own.contributors.pop_back();
    own.excluded = {{t.account(4), exclusion_reason::not_available, "not there"}};
    t.made(std::move(own));
    t.propose(50);
  }
  SUBCASE("this node's came to nothing") {
    t.made(fail(errc::unavailable, "no room"));
    t.propose(50);
  }
  CHECK(t.calls().empty());
  CHECK(t.count<action::start_check>() == 1);
}

TEST_CASE("a merge of this node's that is late is waited for, and then given up") {
  small_round t;
  t.look();
  t.propose(50);
  CHECK(t.count<action::start_check>() == 0);
  CHECK(t.count<action::fetch>() == 0);
  CHECK(says(t, "making the merge, to compare it with that of sl-2"));
  SUBCASE("it comes") {
    t.made(t.outcome(50));
    CHECK(t.calls() == lines{"attest the merge of round 1"});
  }
  SUBCASE("it does not") {
    t.pass(1s, contracts::check_seconds / 2 + 1);
    CHECK(t.count<action::cancel_merge>() == 1);
    CHECK(t.count<action::start_check>() == 1);
  }
}

TEST_CASE("the next leader commits what it has made already") {
  small_round t;
  t.look();
  auto own = t.outcome(50);
  SUBCASE("of all models") {
    t.made(std::move(own));
    t.close(1, 1);
    t.clear();
    t.look();
    CHECK(t.count<action::start_merge>() == 0);
    CHECK(t.calls() == lines{"commit the merge of round 1"});
  }
  SUBCASE("but makes it anew where a model was missing") {
    own.contributors.pop_back();
    own.excluded = {{t.account(4), exclusion_reason::not_available, "not there"}};
    t.made(std::move(own));
    t.close(1, 1);
    t.clear();
    t.look();
    CHECK(t.last<action::start_merge>().leads);
  }
  SUBCASE("or is not done") {
    t.close(1, 1);
    t.clear();
    t.look();
    CHECK(t.count<action::cancel_merge>() == 1);
    CHECK(t.last<action::start_merge>().leads);
  }
}

TEST_CASE("another leader's term changes nothing of it, the end of the round ends it") {
  small_round t;
  t.look();
  t.close(3, 1);
  t.clear();
  t.look();
  CHECK(t.count<action::start_merge>() + t.count<action::cancel_merge>() == 0);
  t.merge(50, 3);
  t.look();
  CHECK(t.count<action::cancel_merge>() == 1);
}

TEST_CASE("nobody makes a merge beside its leader that is large, or that nobody checks") {
  SUBCASE("large") {
    small_round t(machine_bench::model_size);
    t.look();
    CHECK(t.count<action::start_merge>() == 0);
  }
  SUBCASE("trusted") {
    small_round t;
    t.view.head.verify = contracts::verify_mode::off;
    t.look();
    CHECK(t.count<action::start_merge>() == 0);
  }
}

} // namespace peer_beside_test
