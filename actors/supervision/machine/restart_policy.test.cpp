#include "actors/supervision/machine/restart_policy.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace restart_policy_test {

using namespace swarm::actors;
using namespace std::chrono_literals;

namespace {

using names = std::vector<std::string>;
const swarm::time_point t0{1000s};

/// Children a, b, c, d; b is the one that ends.
restart_policy four(strategy how, restart of_b, restart of_c = restart::permanent,
                    restart_intensity limit = {100, 10s}) {
  restart_policy policy("/x", how, limit);
  policy.add("a", restart::permanent);
  policy.add("b", of_b);
  policy.add("c", of_c);
  policy.add("d", restart::permanent);
  return policy;
}

struct row {
  strategy how;
  restart of_b;
  exit_kind kind;
  names stop, again, forget;
};

} // namespace

TEST_CASE("the OTP table: strategy, kind of child, kind of end") {
  using enum strategy;
  using enum restart;
  using enum exit_kind;
  const names none, b{"b"}, all{"a", "b", "c", "d"}, rest{"b", "c", "d"};
  const names others{"d", "c", "a"}, later{"d", "c"};
  const std::vector<row> table{
      {one_for_one, permanent, error, none, b, none},
      {one_for_one, permanent, killed, none, b, none},
      {one_for_one, permanent, normal, none, b, none},
      {one_for_one, permanent, shutdown, none, b, none},
      {one_for_one, transient, error, none, b, none},
      {one_for_one, transient, killed, none, b, none},
      {one_for_one, transient, normal, none, none, none},
      {one_for_one, transient, shutdown, none, none, none},
      {one_for_one, temporary, error, none, none, b},
      {one_for_one, temporary, killed, none, none, b},
      {one_for_one, temporary, normal, none, none, b},
      {one_for_one, temporary, shutdown, none, none, b},
      {one_for_all, permanent, error, others, all, none},
      {one_for_all, permanent, normal, others, all, none},
      {one_for_all, transient, error, others, all, none},
      {one_for_all, transient, normal, none, none, none},
      {one_for_all, temporary, error, none, none, b},
      {rest_for_one, permanent, error, later, rest, none},
      {rest_for_one, permanent, normal, later, rest, none},
      {rest_for_one, transient, killed, later, rest, none},
      {rest_for_one, transient, shutdown, none, none, none},
      {rest_for_one, temporary, error, none, none, b},
  };
  for (const auto& r : table) {
    CAPTURE(static_cast<int>(r.how));
    CAPTURE(static_cast<int>(r.of_b));
    CAPTURE(static_cast<int>(r.kind));
    auto policy = four(r.how, r.of_b);
    const auto decision = policy.child_exited("b", {r.kind, "why"}, t0);
    CHECK(decision.stop == r.stop);
    CHECK(decision.restart == r.again);
    CHECK(decision.forget == r.forget);
    CHECK(!decision.escalate);
    CHECK(policy.has("b") == r.forget.empty());
  }
}

TEST_CASE("a temporary sibling is stopped with the others but not started again") {
  for (const auto how : {strategy::one_for_all, strategy::rest_for_one}) {
    auto policy = four(how, restart::permanent, restart::temporary);
    const auto decision = policy.child_exited("b", {exit_kind::error, "why"}, t0);
    CHECK(decision.forget == names{"c"});
    CHECK(std::find(decision.stop.begin(), decision.stop.end(), "c") != decision.stop.end());
    CHECK(std::find(decision.restart.begin(), decision.restart.end(), "c") == decision.restart.end());
    CHECK(!policy.has("c"));
  }
}

TEST_CASE("more restarts than allowed within the period escalate, with a reason that says all") {
  auto policy = four(strategy::one_for_one, restart::permanent, restart::permanent, {2, 10s});
  CHECK(!policy.child_exited("b", {exit_kind::error, "first"}, t0).escalate);
  CHECK(!policy.child_exited("c", {exit_kind::error, "second"}, t0 + 1s).escalate);
  const auto decision = policy.child_exited("b", {exit_kind::error, "disk full"}, t0 + 10s);
  REQUIRE(decision.escalate);
  CHECK(*decision.escalate
        == "/x: child \"b\" failed 2 times (its siblings 1) within 10 s, 2 allowed; last error: disk full");
  CHECK(decision.stop.empty());
  CHECK(decision.restart.empty());
}

TEST_CASE("restarts older than the period do not count; the period's end is inclusive") {
  auto policy = four(strategy::one_for_one, restart::permanent, restart::permanent, {1, 10s});
  CHECK(!policy.child_exited("b", {exit_kind::error, ""}, t0).escalate);
  CHECK(!policy.child_exited("b", {exit_kind::error, ""}, t0 + 10001ms).escalate);
  CHECK(policy.child_exited("b", {exit_kind::error, ""}, t0 + 20001ms).escalate);
}

TEST_CASE("an intensity of zero gives up at the first failure, but not at ends that are no failure") {
  auto policy = four(strategy::one_for_all, restart::permanent, restart::transient, {0, 10s});
  CHECK(!policy.child_exited("c", {exit_kind::normal, ""}, t0).escalate);
  CHECK(policy.child_exited("c", {exit_kind::killed, ""}, t0).escalate);
}

TEST_CASE("one restart of all counts once") {
  auto policy = four(strategy::one_for_all, restart::permanent, restart::permanent, {2, 10s});
  CHECK(policy.child_exited("a", {exit_kind::error, ""}, t0).failures == 1);
  CHECK(policy.child_exited("d", {exit_kind::error, ""}, t0).failures == 2);
}

TEST_CASE("a child that stands for several failures counts with all of them") {
  auto policy = four(strategy::one_for_one, restart::permanent, restart::permanent, {10, 60s});
  CHECK(policy.child_exited("c", {exit_kind::error, ""}, t0).own_failures == 1);
  const auto decision = policy.child_exited("b", {exit_kind::error, "/x/b: it is hopeless", 9}, t0);
  CHECK(decision.failures == 10);
  CHECK(decision.own_failures == 9);
  CHECK(policy.child_exited("b", {exit_kind::error, "/x/b: it is hopeless", 9}, t0).escalate
        == "/x: child \"b\" gave up; /x/b: it is hopeless");
}

TEST_CASE("children come and go at run time; names are unique") {
  auto policy = four(strategy::rest_for_one, restart::permanent);
  CHECK(policy.add("e", restart::permanent));
  CHECK(!policy.add("e", restart::temporary));
  policy.remove("c");
  CHECK(policy.names() == names{"a", "b", "d", "e"});
  CHECK(policy.child_exited("b", {exit_kind::error, ""}, t0).stop == names{"e", "d"});
}

} // namespace restart_policy_test
