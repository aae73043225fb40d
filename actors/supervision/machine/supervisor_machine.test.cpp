#include "actors/supervision/machine/supervisor_machine.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

namespace supervisor_machine_test {

using namespace swarm::actors;
using namespace std::chrono_literals;
using what = supervisor_action::what;

namespace {

const swarm::time_point t0{1000s};
const exit_info crash{exit_kind::error, "crash"};
const exit_info obeyed{exit_kind::shutdown, {}};

/// Actions as text: "start a, stop b, stop c for a restart, end: why".
std::string text(const supervisor_machine::actions& actions) {
  static const std::map<what, std::string> words{
      {what::start, "start"},   {what::stop, "stop"},   {what::kill, "kill"}, {what::stuck, "stuck"},
      {what::forget, "forget"}, {what::ready, "ready"}, {what::end, "end"}};
  std::string out;
  for (const auto& a : actions) {
    if (!out.empty()) out += ", ";
    out += words.at(a.kind) + (a.name.empty() ? "" : " " + a.name);
    if (a.kind == what::stop && a.how.kind == exit_kind::restarting) out += " for a restart";
    if (a.kind == what::end && a.how.kind == exit_kind::error) out += ": " + a.how.text;
  }
  return out;
}

/// A machine without pauses, unless a test is about them.
supervisor_machine machine(strategy how, restart_intensity limit = {3, 10s}, swarm::duration backoff = 0ms) {
  return supervisor_machine({.path = "/x", .how = how, .intensity = limit, .backoff_first = backoff});
}

/// Starts a, b, c and sees them ready.
supervisor_machine up(strategy how, restart_intensity limit = {3, 10s}, restart when = restart::permanent) {
  auto m = machine(how, limit);
  m.start({{"a", when, 1s}, {"b", when, 1s}, {"c", when, 1s}}, t0);
  for (const auto* name : {"a", "b", "c"})
    m.child_ready(name, t0);
  return m;
}

} // namespace

TEST_CASE("children start one after the other, each when the one before is ready") {
  auto m = machine(strategy::one_for_one);
  CHECK(text(m.start({{"a"}, {"b"}}, t0)) == "start a");
  CHECK(text(m.tick(t0 + 60s)) == ""); // a start may take long
  CHECK(text(m.child_ready("a", t0)) == "start b");
  CHECK(text(m.child_ready("b", t0)) == "ready");
  CHECK(text(m.tick(t0)) == "");
  CHECK(!m.deadline());
}

TEST_CASE("a supervisor without children is ready at once") {
  auto m = machine(strategy::one_for_one);
  CHECK(text(m.start({}, t0)) == "ready");
  CHECK(text(m.stop(obeyed, t0)) == "end");
  CHECK(m.ended());
}

TEST_CASE("children stop in reverse order, each after the one before has ended") {
  auto m = up(strategy::one_for_one);
  CHECK(text(m.stop(obeyed, t0)) == "stop c");
  CHECK(text(m.child_exited("a", obeyed, t0)) == ""); // by itself, meanwhile: fine, not started again
  CHECK(text(m.child_exited("c", obeyed, t0)) == "stop b");
  CHECK(text(m.child_exited("b", crash, t0)) == "end");
  CHECK(text(m.tick(t0 + 10s)) == "");
}

TEST_CASE("who does not stop is killed; who cannot be killed is left behind, and the rest is stopped") {
  auto m = up(strategy::one_for_one);
  CHECK(text(m.stop(obeyed, t0)) == "stop c");
  CHECK(m.deadline() == t0 + 1s);
  CHECK(text(m.tick(t0 + 999ms)) == "");
  CHECK(text(m.tick(t0 + 1s)) == "kill c");
  CHECK(m.deadline() == t0 + 1250ms);
  CHECK(text(m.tick(t0 + 1250ms)) == "stuck c, stop b");
  CHECK(text(m.child_exited("b", obeyed, t0 + 2s)) == "stop a");
  CHECK(text(m.child_exited("a", obeyed, t0 + 2s)) == "end");
}

TEST_CASE("one_for_one restarts the one") {
  auto m = up(strategy::one_for_one);
  CHECK(text(m.child_exited("b", crash, t0)) == "start b");
  CHECK(text(m.child_ready("b", t0)) == ""); // ready is told once only
}

TEST_CASE("one_for_all stops the others in reverse order and starts all in order") {
  auto m = up(strategy::one_for_all);
  CHECK(text(m.child_exited("b", crash, t0)) == "stop c for a restart");
  CHECK(text(m.child_exited("c", obeyed, t0)) == "stop a for a restart");
  CHECK(text(m.child_exited("a", obeyed, t0)) == "start a");
  CHECK(text(m.child_ready("a", t0)) == "start b");
  CHECK(text(m.child_ready("b", t0)) == "start c");
}

TEST_CASE("rest_for_one leaves the earlier ones alone") {
  auto m = up(strategy::rest_for_one);
  CHECK(text(m.child_exited("b", crash, t0)) == "stop c for a restart");
  CHECK(text(m.child_exited("c", obeyed, t0)) == "start b");
  CHECK(text(m.child_ready("b", t0)) == "start c");
}

TEST_CASE("a sibling that crashes while it waits to be stopped is not counted as a failure") {
  auto m = up(strategy::one_for_all, {1, 10s});
  CHECK(text(m.child_exited("b", crash, t0)) == "stop c for a restart");
  CHECK(text(m.child_exited("a", crash, t0)) == "");
  CHECK(text(m.child_exited("c", crash, t0)) == "start a");
  CHECK(m.failures() == 1);
}

TEST_CASE(
    "a child that fails at its start is restarted, with growing pauses, until the intensity is exceeded") {
  auto m = machine(strategy::rest_for_one, {2, 10s}, 50ms);
  m.start({{"a"}, {"b"}}, t0);
  CHECK(text(m.child_exited("a", crash, t0)) == "");
  CHECK(m.deadline() == t0 + 50ms);
  CHECK(text(m.tick(t0 + 50ms)) == "start a");
  CHECK(text(m.child_exited("a", crash, t0 + 50ms)) == "");
  CHECK(m.deadline() == t0 + 150ms);
  CHECK(text(m.tick(t0 + 150ms)) == "start a");
  CHECK(text(m.child_exited("a", crash, t0 + 150ms))
        == "end: /x: child \"a\" failed 3 times within 10 s, 2 allowed; last error: crash");
}

TEST_CASE("pauses grow up to a limit, with the failures of the child itself; others do not wait for it") {
  auto m = supervisor_machine({.path = "/x", .how = strategy::one_for_one, .intensity = {100, 60s}});
  m.start({{"a"}, {"b"}}, t0);
  m.child_ready("a", t0);
  m.child_ready("b", t0);
  auto now = t0;
  std::vector<swarm::duration> pauses;
  for (int i = 0; i < 9; ++i) {
    CHECK(text(m.child_exited("a", crash, now)) == "");
    const auto at = *m.deadline();
    pauses.push_back(at - now);
    CHECK(text(m.tick(at - 1ms)) == "");
    CHECK(text(m.tick(at)) == "start a");
    m.child_ready("a", at);
    now = at;
  }
  CHECK(pauses == std::vector<swarm::duration>{50ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5s, 5s});
  m.child_exited("a", crash, now);
  m.child_exited("b", crash, now);
  CHECK(m.deadline() == now + 50ms);
  CHECK(text(m.tick(now + 50ms)) == "start b");
}

/// The default limits do what docs/supervision.md promises.
TEST_CASE("eleven crashes in a row end a supervisor within half a minute, one a minute never does") {
  auto m = supervisor_machine({.path = "/x"});
  m.start({{"a"}}, t0);
  auto now = t0;
  int crashes = 0;
  for (; !m.ended(); ++crashes) {
    m.child_exited("a", crash, now);
    if (const auto at = m.deadline()) m.tick(now = *at);
  }
  CHECK(crashes == 11);
  CHECK(now - t0 < 30s);

  auto patient = supervisor_machine({.path = "/x"});
  patient.start({{"a"}}, t0);
  for (now = t0; now < t0 + 24h; now += 60s) {
    patient.child_ready("a", now);
    patient.child_exited("a", crash, now);
    REQUIRE(text(patient.tick(now + 100ms)) == "start a");
  }
  CHECK(patient.failures() <= 2);
}

TEST_CASE("a nested supervisor that gave up counts with all its failures: the one above gives up with it") {
  auto outer = supervisor_machine({.path = "/root"});
  outer.start({{"s"}, {"t"}}, t0);
  auto inner = supervisor_machine({.path = "/s"});
  inner.start({{"a"}}, t0);
  auto now = t0;
  supervisor_machine::actions last;
  while (!inner.ended()) {
    last = inner.child_exited("a", crash, now);
    if (const auto at = inner.deadline()) inner.tick(now = *at);
  }
  CHECK(last.back().how.failures == 11);
  CHECK(text(outer.child_exited("s", last.back().how, now))
        == "end: /root: child \"s\" gave up; /s: child \"a\" failed 11 times within 60 s, 10 allowed; last "
           "error: crash");
}

TEST_CASE("who ends because of an error is started again, and so are its children: they are told so") {
  auto m = up(strategy::one_for_one);
  CHECK(text(m.stop(crash, t0)) == "stop c for a restart");
  CHECK(text(m.child_exited("c", obeyed, t0)) == "stop b for a restart");
  auto told = up(strategy::one_for_one);
  CHECK(text(told.stop({exit_kind::restarting, {}}, t0)) == "stop c for a restart");
  auto tired = up(strategy::one_for_one, {0, 10s});
  CHECK(text(tired.child_exited("b", crash, t0)) == "stop c"); // restarts did not help
}

TEST_CASE("giving up stops the siblings first") {
  auto m = up(strategy::one_for_one, {0, 10s});
  CHECK(text(m.child_exited("b", crash, t0)) == "stop c");
  CHECK(text(m.child_exited("c", obeyed, t0)) == "stop a");
  CHECK(text(m.child_exited("a", obeyed, t0)).starts_with("end: /x: child \"b\" failed 1 time"));
}

TEST_CASE("the first reason to end stays") {
  auto m = up(strategy::one_for_one, {0, 10s});
  m.child_exited("b", crash, t0);
  CHECK(text(m.stop(obeyed, t0)) == "");
  m.child_exited("c", obeyed, t0);
  CHECK(text(m.child_exited("a", obeyed, t0)).starts_with("end: /x: child \"b\""));
}

TEST_CASE("a transient child that has finished stays finished, until its siblings are restarted with it") {
  auto m = up(strategy::one_for_all, {3, 10s}, restart::transient);
  CHECK(text(m.child_exited("b", {exit_kind::normal, {}}, t0)) == "");
  CHECK(!m.active("b"));
  CHECK(text(m.child_exited("c", crash, t0)) == "stop a for a restart");
  CHECK(text(m.child_exited("a", obeyed, t0)) == "start a");
  CHECK(text(m.child_ready("a", t0)) == "start b");
}

TEST_CASE("children are added and removed at run time") {
  auto m = up(strategy::one_for_one);
  CHECK(!m.may_add("b"));
  CHECK(text(m.add({"d", restart::temporary, 1s}, t0)) == "start d");
  CHECK(text(m.add({"e", restart::permanent, 1s}, t0)) == ""); // waits for d
  CHECK(text(m.child_ready("d", t0)) == "start e");
  m.child_ready("e", t0);
  CHECK(text(m.child_exited("d", crash, t0)) == "forget d");
  CHECK(!m.has("d"));
  CHECK(text(m.remove("b", t0)) == "stop b");
  CHECK(text(m.child_exited("b", obeyed, t0)) == "forget b");
  CHECK(text(m.remove("nobody", t0)) == "");
  CHECK(m.may_add("b"));
}

TEST_CASE("removing a child that waits for its restart forgets it at once") {
  auto m = machine(strategy::one_for_one, {3, 10s}, 50ms);
  m.start({{"b"}}, t0);
  m.child_ready("b", t0);
  CHECK(text(m.child_exited("b", crash, t0)) == "");
  CHECK(text(m.remove("b", t0)) == "forget b");
  CHECK(text(m.tick(t0 + 10s)) == "");
}

TEST_CASE("a child that cannot be removed makes the supervisor give up, naming it") {
  auto m = up(strategy::one_for_one);
  CHECK(text(m.remove("b", t0)) == "stop b");
  CHECK(text(m.tick(t0 + 1s)) == "kill b");
  CHECK(text(m.tick(t0 + 2s)) == "stuck b, stop c for a restart");
  m.child_exited("c", obeyed, t0 + 2s);
  CHECK(text(m.child_exited("a", obeyed, t0 + 2s))
        == "end: /x: child \"b\" is stuck: it neither stops nor can be killed");
}

TEST_CASE("stopping in the middle of starting stops what has been started") {
  auto m = machine(strategy::one_for_one);
  m.start({{"a"}, {"b"}, {"c"}}, t0);
  m.child_ready("a", t0);
  CHECK(text(m.stop(obeyed, t0)) == "stop b");
  CHECK(text(m.child_ready("b", t0)) == ""); // it finished starting before it saw the order
  CHECK(text(m.child_exited("b", obeyed, t0)) == "stop a");
  CHECK(text(m.child_exited("a", obeyed, t0)) == "end");
}

namespace {

/// A machine in a world that mostly obeys it. Checks each action against who is alive.
struct random_life {
  supervisor_machine m;
  std::vector<std::string> alive{}, told{}; // alive in the order of their starts
  bool ended = false;
  swarm::time_point now = t0;

  void apply(const supervisor_machine::actions& actions) {
    for (const auto& a : actions) {
      REQUIRE(!ended);
      const auto at = std::find(alive.begin(), alive.end(), a.name);
      if (a.kind == what::start) {
        REQUIRE(at == alive.end());
        alive.push_back(a.name);
      } else if (a.kind == what::stop) {
        REQUIRE(at != alive.end());
        told.push_back(a.name);
        REQUIRE(told.size() == 1);        // one at a time
      } else if (a.kind == what::stuck) { // left behind: nobody waits for it any more
        REQUIRE(told == std::vector{a.name});
        told.clear();
        alive.erase(at);
      } else if (a.kind == what::end) {
        REQUIRE(alive.empty());
        ended = true;
      }
    }
  }
  void leave(const std::string& name, const exit_info& exit) {
    std::erase(alive, name);
    std::erase(told, name);
    apply(m.child_exited(name, exit, now));
  }
  void step(std::mt19937_64& random) {
    now += std::chrono::milliseconds(random() % 300);
    const auto pick = alive.empty() ? std::string("?") : alive[random() % alive.size()];
    switch (random() % 8) {
    case 0:
    case 1:
    case 2:
      apply(m.child_ready(pick, now));
      break;
    case 3:
      if (pick != "?") leave(pick, crash);
      break;
    case 4:
      if (!told.empty() && told[0] == pick) leave(pick, obeyed);
      break;
    case 5:
      apply(m.tick(now));
      break;
    case 6:
      if (m.may_add("e")) apply(m.add({"e", restart::temporary, 1s}, now));
      break;
    default:
      if (random() % 4 == 0) apply(m.remove("e", now));
    }
  }
};

} // namespace

/// Whatever happens, order holds and the machine comes to rest.
TEST_CASE("random lives keep the invariants") {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto how = static_cast<strategy>(random() % 3);
    random_life life{machine(how, {static_cast<unsigned>(random() % 6), 10s})};
    life.apply(life.m.start({{"a"}, {"b", restart::transient}, {"c"}, {"d", restart::temporary}}, life.now));
    for (int step = 0; step < 200 && !life.ended; ++step)
      life.step(random);
    life.apply(life.m.stop(obeyed, life.now));
    while (!life.ended) {
      REQUIRE(!life.told.empty());
      life.leave(std::string(life.told[0]), obeyed);
    }
  }
}

} // namespace supervisor_machine_test
