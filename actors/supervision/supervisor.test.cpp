#include "actors/supervision/testing/test_tree.hpp"
#include "base/log.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

#include <future>

namespace supervisor_test {

using namespace swarm;
using namespace swarm::actors;
using namespace swarm::actors::test;
using namespace std::chrono_literals;
using swarm::testing::wording;

namespace {

using lines = std::vector<std::string>;

struct three {
  std::shared_ptr<journal> log = std::make_shared<journal>();
  running_tree tree;

  explicit three(strategy how, restart when = restart::permanent, restart_intensity limit = {3, 10s})
      : tree({.children = {nested({.name = "s",
                                   .how = how,
                                   .intensity = limit,
                                   .children = {puppet_child("a", log, when), puppet_child("b", log, when),
                                                puppet_child("c", log, when)}})}}) {
    REQUIRE(tree.wait_running("/s"));
    REQUIRE(log->lines() == lines{"+a", "+b", "+c"});
    log->clear();
  }
  /// What was recorded after b crashed, once there are `n` lines.
  lines after_crash_of_b(std::size_t n) {
    tree.dir().send("/s/b", do_crash{"on command"});
    CHECK(log->wait(n));
    REQUIRE(tree.wait_running("/s/c"));
    return log->lines();
  }
};

} // namespace

TEST_CASE("one_for_one restarts the crashed child only") {
  three t(strategy::one_for_one);
  const auto a = t.tree.dir().find("/s/a");
  CHECK(t.after_crash_of_b(2) == lines{"-b", "+b"});
  CHECK(t.tree.dir().find("/s/a") == a);
}

TEST_CASE("one_for_all stops in reverse order and starts in order") {
  three t(strategy::one_for_all);
  CHECK(t.after_crash_of_b(6) == lines{"-b", "-c", "-a", "+a", "+b", "+c"});
}

TEST_CASE("rest_for_one spares those started before") {
  three t(strategy::rest_for_one);
  CHECK(t.after_crash_of_b(4) == lines{"-b", "-c", "+b", "+c"});
}

TEST_CASE("the directory gives the new address, and counts and explains the restart") {
  three t(strategy::one_for_one);
  const auto before = t.tree.dir().find("/s/b");
  t.after_crash_of_b(2);
  REQUIRE(t.tree.wait_running("/s/b"));
  const auto after = t.tree.dir().find("/s/b");
  CHECK(after);
  CHECK(after != before);
  CHECK(t.tree.dir().path_of(after.id()) == "/s/b");
  CHECK(t.tree.dir().path_of(before.id()).empty());
  const auto status = t.tree.status("/s/b");
  CHECK(status.restarts == 1);
  CHECK(wording(status.last_error) == "on command (in message test::do_crash)");
  CHECK(status.last_error_unix_ms > 0);
  CHECK(t.tree.ask<int>("/s/b", get_handled{}) == 0);
}

TEST_CASE("a transient child that ends normally is not started again, one that crashes is") {
  three t(strategy::one_for_one, restart::transient);
  t.tree.dir().send("/s/b", do_finish{});
  REQUIRE(eventually([&] { return !t.tree.dir().find("/s/b"); }));
  t.tree.dir().send("/s/c", do_crash{"on command"});
  REQUIRE(t.log->wait(3));
  CHECK(t.log->lines() == lines{"-b", "-c", "+c"});
  CHECK(t.tree.status("/s/b").phase == "ended");
  CHECK(!t.tree.dir().send("/s/b", do_finish{}));
}

TEST_CASE("children stop in reverse order of their start, supervisors before their elder siblings") {
  auto log = std::make_shared<journal>();
  running_tree tree(
      {.children = {nested({.name = "s", .children = {puppet_child("a", log), puppet_child("b", log)}}),
                    puppet_child("c", log)}});
  REQUIRE(tree.wait_running("/c"));
  CHECK(tree.end() == 0);
  CHECK(log->lines() == lines{"+a", "+b", "+c", "-c", "-b", "-a"});
}

TEST_CASE("escalation: the reason chain reaches the root, the exit code says so") {
  auto log = std::make_shared<journal>();
  running_tree tree(
      {.intensity = {3, 60s}, // two failures at a time
       .children = {nested({.name = "s", .intensity = {1, 60s}, .children = {puppet_child("a", log)}})}});
  const auto env = tree.shared_env();
  env->dir.record("/root"); // there from the start
  std::size_t crashes = 0;
  for (; crashes < 4; ++crashes) {
    const auto generation = 2 * crashes + 1;
    REQUIRE(log->wait(generation));
    REQUIRE(tree.wait_running("/s/a"));
    tree.dir().send("/s/a", do_crash{fmt::format("crash {}", crashes + 1)});
  }
  CHECK(tree.wait() == exit_gave_up);
  CHECK(wording(env->dir.record("/root")->last_error())
        == "/root: child \"s\" gave up; /s: child \"a\" failed 2 times within 60 s, 1 allowed; last error: "
           "crash "
           "4 (in message test::do_crash)");
  CHECK(log->count("+a") == 4);
  CHECK(env->dir.record("/s/a")->restarts() == 3); // those with its supervisor too
}

namespace {

struct polite_state {
  std::shared_ptr<journal> log;
};

child_spec polite_child(const std::string& name, const std::shared_ptr<journal>& log) {
  const auto behavior = [name](role_actor<polite_state>* self) -> caf::behavior {
    self->state().log->write("+" + name);
    self->on_stop([self, name](caf::error reason) {
      self->state().log->write(name + " takes leave");
      self->quit(std::move(reason));
    });
    return {[](do_nothing) {}};
  };
  return {.name = name, .start = role<polite_state>(behavior, polite_state{log})};
}

} // namespace

TEST_CASE("who is told to end for good takes leave, who will be started again does not") {
  auto log = std::make_shared<journal>();
  running_tree tree(
      {.children = {nested({.name = "s",
                            .how = strategy::rest_for_one,
                            .children = {puppet_child("a", log),
                                         nested({.name = "t", .children = {polite_child("b", log)}})}})}});
  REQUIRE(tree.wait_running("/s/t"));
  const auto crash = [&](const std::string& path) {
    tree.dir().send(path, caf::exit_msg{{}, to_caf("for a test")});
  };
  SUBCASE("by a crash of its own, as swarm-inspect kill makes one") {
    crash("/s/t/b");
    REQUIRE(log->wait(3));
    CHECK(log->lines() == lines{"+a", "+b", "+b"});
  }
  SUBCASE("with its supervisor") {
    crash("/s/t");
    REQUIRE(log->wait(3));
    CHECK(log->lines() == lines{"+a", "+b", "+b"});
  }
  SUBCASE("as its supervisor goes with a sibling") {
    crash("/s/a");
    REQUIRE(log->wait(5));
    CHECK(log->lines() == lines{"+a", "+b", "-a", "+a", "+b"});
  }
  SUBCASE("with the supervisor of its supervisor") {
    crash("/s");
    REQUIRE(log->wait(5));
    CHECK(log->lines() == lines{"+a", "+b", "-a", "+a", "+b"});
  }
  SUBCASE("at the end of the process") {
    tree.end();
    CHECK(log->lines() == lines{"+a", "+b", "b takes leave", "-a"});
  }
}

TEST_CASE(
    "a failing start counts like a crash: exception in the state, in the behavior, in the start function") {
  struct bad_state {
    bad_state() { throw std::runtime_error("cannot open the store"); }
  };
  const auto behavior = [](role_actor<puppet_state>*) -> caf::behavior {
    throw std::runtime_error("no behavior");
  };
  const std::vector<std::pair<start_function, std::string>> starts{
      {role<bad_state>([](role_actor<bad_state>*) { return caf::behavior{[](int) {}}; }),
       "cannot open the store"},
      {role<puppet_state>(behavior, std::string("x"), std::make_shared<journal>()), "no behavior"},
      {[](start_context&) -> caf::actor { throw std::runtime_error("no thread"); }, "no thread"},
      {[](start_context&) { return caf::actor{}; }, "its start function made no actor"}};
  for (const auto& [start, why] : starts) {
    running_tree tree({.intensity = {2, 60s}, .backoff = 1ms, .children = {{.name = "x", .start = start}}});
    const auto env = tree.shared_env();
    CHECK(tree.wait() == exit_gave_up);
    CHECK(wording(env->dir.record("/root")->last_error())
          == fmt::format("/root: child \"x\" failed 3 times within 60 s, 2 allowed; last error: {}", why));
  }
}

TEST_CASE("dynamic children: added, refused, restarted, removed") {
  auto log = std::make_shared<journal>();
  running_tree tree({.children = {nested({.name = "tasks"})}});
  REQUIRE(tree.wait_running("/tasks"));
  const auto added = tree.ask<child_added>("/tasks", add_child{puppet_child("t1", log)});
  REQUIRE(added);
  CHECK(added->path == "/tasks/t1");
  REQUIRE(tree.wait_running("/tasks/t1"));
  const auto again = tree.ask<child_added>("/tasks", add_child{puppet_child("t1", log)});
  REQUIRE(!again);
  CHECK(again.error().is(errc::conflict));
  CHECK(wording(again.error()) == "/tasks: cannot add child \"t1\": the name is taken");
  const auto bad = tree.ask<child_added>("/tasks", add_child{puppet_child("../t", log)});
  REQUIRE(!bad);
  CHECK(bad.error().is(errc::invalid));

  tree.dir().send("/tasks/t1", do_crash{"x"});
  REQUIRE(log->wait(3));
  REQUIRE(tree.wait_running("/tasks/t1"));
  const auto removed = tree.ask<child_removed>("/tasks", remove_child{"t1"});
  REQUIRE(removed);
  CHECK(log->lines() == lines{"+t1", "-t1", "+t1", "-t1"});
  CHECK(!tree.dir().status("/tasks/t1"));
  const auto missing = tree.ask<child_removed>("/tasks", remove_child{"t1"});
  REQUIRE(!missing);
  CHECK(wording(missing.error()) == "/tasks has no child \"t1\"");
}

TEST_CASE("a temporary child leaves no trace when it ends") {
  auto log = std::make_shared<journal>();
  running_tree tree({.children = {nested({.name = "tasks"})}});
  REQUIRE(tree.wait_running("/tasks"));
  REQUIRE(tree.ask<child_added>("/tasks", add_child{puppet_child("t", log, restart::temporary)}));
  REQUIRE(tree.wait_running("/tasks/t"));
  tree.dir().send("/tasks/t", do_crash{"x"});
  CHECK(eventually([&] { return !tree.dir().status("/tasks/t"); }));
  CHECK(log->lines() == lines{"+t", "-t"});
  CHECK(tree.status("/tasks").restarts == 0);
}

TEST_CASE(
    "a child that hangs is killed by nobody: the supervisor gives up on it, names it, and others go on") {
  auto log = std::make_shared<journal>();
  auto hold = std::make_shared<gate>();
  auto stuck = puppet_child("stuck", log);
  stuck.shutdown_timeout = 20ms;
  stuck.detached = true;
  running_tree tree({.children = {nested({.name = "tasks"})}});
  REQUIRE(tree.wait_running("/tasks"));
  REQUIRE(tree.ask<child_added>("/tasks", add_child{stuck}));
  REQUIRE(tree.wait_running("/tasks/stuck"));
  const auto env = tree.shared_env();
  env->dir.send("/tasks/stuck", do_wait{hold});
  hold->wait_for_somebody();
  const auto removed = tree.ask<child_removed>("/tasks", remove_child{"stuck"});
  CHECK(!removed); // its supervisor ended over it
  CHECK(eventually([&] { return tree.status("/tasks").restarts == 1; }));
  CHECK(wording(tree.status("/tasks").last_error)
        == "/tasks: child \"stuck\" is stuck: it neither stops nor can be killed");
  CHECK(!tree.dir().status("/tasks/stuck"));
  CHECK(eventually(
      [&] { return tree.dir().running().size() == 3; })); // root, the new tasks, and the one left behind
  hold->open();
}

TEST_CASE("who adds a child while another one stops is answered once it has started") {
  auto log = std::make_shared<journal>();
  auto hold = std::make_shared<gate>();
  auto slow = puppet_child("slow", log);
  slow.shutdown_timeout = 60s;
  slow.detached = true;
  running_tree tree({.children = {nested({.name = "tasks"})}});
  REQUIRE(tree.wait_running("/tasks"));
  REQUIRE(tree.ask<child_added>("/tasks", add_child{slow}));
  REQUIRE(tree.wait_running("/tasks/slow"));
  tree.dir().send("/tasks/slow", do_wait{hold});
  hold->wait_for_somebody();
  tree.dir().send("/tasks", remove_child{"slow"});
  auto found = std::async(std::launch::async, [&] {
    const auto added = tree.ask<child_added>("/tasks", add_child{puppet_child("next", log)});
    return added && tree.dir().find(added->path);
  });
  REQUIRE(eventually([&] { return tree.dir().status("/tasks/next").has_value(); }));
  hold->open();
  CHECK(found.get());
}

TEST_CASE("roles side by side: the process ends when each has ended, with the first bad code") {
  auto log = std::make_shared<journal>();
  auto helper = puppet_child("helper", log);
  helper.auxiliary = true;
  running_tree tree({.children = {helper, nested({.name = "sl", .children = {puppet_child("a", log)}}),
                                  puppet_child("swop", log, restart::transient)}});
  REQUIRE(tree.wait_running("/swop"));
  tree.dir().send("/root", end_role{"/sl/a", 7, "training over"});
  REQUIRE(eventually([&] { return !tree.dir().status("/sl"); }));
  CHECK(tree.dir().find("/swop"));
  CHECK(tree.dir().find("/helper"));
  tree.dir().send("/swop", do_finish{});
  CHECK(tree.wait() == 7);
  CHECK(log->count("-helper") == 1);
}

TEST_CASE("end_process stops everything with the code given") {
  auto log = std::make_shared<journal>();
  running_tree tree({.children = {puppet_child("a", log)}});
  REQUIRE(tree.wait_running("/a"));
  tree.dir().send("/root", end_process{9, "for a test"});
  CHECK(tree.wait() == 9);
}

} // namespace supervisor_test
