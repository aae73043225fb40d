#include "actors/supervision/testing/test_tree.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace role_actor_test {

using namespace swarm;
using namespace swarm::actors;
using namespace swarm::actors::test;
using namespace std::chrono_literals;
using swarm::testing::wording;

namespace {

struct one {
  std::shared_ptr<journal> log = std::make_shared<journal>();
  running_tree tree;
  explicit one(child_spec spec = {})
      : tree({.children = {spec.start ? std::move(spec) : puppet_child("a", log)}}) {
    REQUIRE(tree.wait_running("/a"));
  }
};

/// Events as "message do_crash because x".
struct tracer_log {
  std::shared_ptr<journal> lines = std::make_shared<journal>();
  tracer fun() const {
    return [log = lines](const trace_event& e) {
      log->write(e.event + (e.type.empty() ? "" : " " + e.type) + (e.text.empty() ? "" : " " + e.text)
                 + (e.from.empty() ? "" : " from " + e.from));
    };
  }
};

} // namespace

TEST_CASE("every actor answers the status message") {
  one t;
  t.tree.dir().send("/a", do_nothing{});
  t.tree.dir().send("/a", do_nothing{});
  REQUIRE(t.tree.ask<int>("/a", get_handled{}) == 2);
  const auto status = t.tree.ask<actor_status>("/a", status_request{});
  REQUIRE(status);
  CHECK(status->path == "/a");
  CHECK(status->kind == "worker");
  CHECK(status->phase == "running");
  CHECK(status->state == "puppet a");
  CHECK(status->detail == R"({"puppet":"a"})");
  CHECK(status->handled == 3);
  CHECK(status->mailbox == 0);
  CHECK(status->restarts == 0);
  CHECK(status->current.empty());
  CHECK(status->started_unix_ms > 1'600'000'000'000);
}

TEST_CASE("the probe shows a stuck message and the real mailbox depth, without asking the actor") {
  auto log = std::make_shared<journal>();
  for (const bool detached : {false, true}) {
    auto hold = std::make_shared<gate>();
    auto spec = puppet_child("a", log);
    spec.detached = detached;
    one t(spec);
    t.tree.dir().send("/a", do_wait{hold});
    hold->wait_for_somebody();
    for (int i = 0; i < 5; ++i)
      t.tree.dir().send("/a", do_nothing{});
    auto status = t.tree.status("/a");
    CHECK(status.current == "test::do_wait");
    CHECK(status.mailbox == 5);
    CHECK(status.detached == detached);
    const auto first = status.current_ns;
    CHECK(eventually([&] { return t.tree.status("/a").current_ns > first; }));
    hold->open();
    CHECK(t.tree.ask<int>("/a", get_handled{}) == 5);
    // The answer is sent before its handler has ended.
    CHECK(eventually([&] { return t.tree.status("/a").handled == 7; }));
    status = t.tree.status("/a");
    CHECK(status.current.empty());
    CHECK(status.mailbox == 0);
  }
}

TEST_CASE("a message that nobody handles is refused, counted and remembered, not dropped silently") {
  one t;
  const auto answer = t.tree.ask<int>("/a", unknown_to_all{});
  REQUIRE(!answer);
  CHECK(wording(answer.error()) == "message not understood");
  t.tree.dir().send("/a", unknown_to_all{});
  REQUIRE(t.tree.ask<int>("/a", get_handled{}) == 0); // it lives on
  const auto status = t.tree.status("/a");
  CHECK(status.refused == 2);
  CHECK(status.last_error == "refused message test::unknown_to_all: no handler for it");
}

TEST_CASE("beyond the mailbox limit messages are refused, requests with an error") {
  auto log = std::make_shared<journal>();
  auto hold = std::make_shared<gate>();
  auto spec = puppet_child("a", log);
  spec.mailbox_limit = 4;
  one t(spec);
  t.tree.dir().send("/a", do_wait{hold});
  hold->wait_for_somebody();
  for (int i = 0; i < 5; ++i)
    t.tree.dir().send("/a", do_nothing{});
  CHECK(t.tree.status("/a").mailbox == 4);
  CHECK(t.tree.status("/a").refused == 1);
  const auto answer = t.tree.ask<int>("/a", get_handled{});
  REQUIRE(!answer);
  CHECK(answer.error().is(errc::limit));
  CHECK(wording(answer.error()) == "/a is overloaded");
  hold->open();
  CHECK(eventually([&] { return t.tree.status("/a").mailbox == 0; }));
  CHECK(t.tree.ask<int>("/a", get_handled{}) == 4);
}

TEST_CASE("an exception answers the request that caused it") {
  one t;
  const auto answer = t.tree.ask<int>("/a", do_crash{"bad luck"});
  REQUIRE(!answer);
  CHECK(wording(answer.error()) == "bad luck (in message test::do_crash)");
}

TEST_CASE("a tracer sees every message with type and text, the end, and the restart") {
  one t;
  tracer_log trace;
  const auto record = t.tree.dir().record("/a");
  const auto number = record->add_tracer(trace.fun());
  t.tree.dir().send("/a", do_nothing{});
  t.tree.dir().send("/a", do_crash{"x"});
  REQUIRE(trace.lines->wait(5));
  const auto lines = trace.lines->lines();
  CHECK(std::vector<wording>(lines.begin(), lines.end())
        == std::vector<wording>{"message test::do_nothing", "message test::do_crash because x",
                                "failed test::do_crash x", "ended x (in message test::do_crash)", "started"});
  record->remove_tracer(number);
  REQUIRE(t.tree.wait_running("/a"));
  trace.lines->clear();
  CHECK(t.tree.ask<int>("/a", get_handled{}) == 0);
  CHECK(trace.lines->lines().empty());
}

namespace {

struct asker_state {};
struct ask_now {
  std::string to;
};
struct tell_now {
  std::string to;
};
/// Asks and reports how it went.
caf::behavior asker(role_actor<asker_state>* self, const std::shared_ptr<journal>& log) {
  return {[self, log](const ask_now& a) {
            self->ask(a.to, 50ms, get_handled{})
                .then([log](int n) { log->write(fmt::format("got {}", n)); },
                      [log](caf::error& e) { log->write(from_caf(e).message); });
          },
          [self](const tell_now& t) {
            self->tell(t.to, get_handled{});
            self->tell(t.to, unknown_to_all{});
            self->tell(t.to, remove_child{"nobody"});
          }};
}

} // namespace

} // namespace role_actor_test

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(role_actor_test::ask_now)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(role_actor_test::tell_now)

namespace role_actor_test {

TEST_CASE("requests between actors are answered, time out, or find nobody; the tracer names the sender") {
  auto log = std::make_shared<journal>();
  auto answers = std::make_shared<journal>();
  auto hold = std::make_shared<gate>();
  const auto with_log = [answers](role_actor<asker_state>* self) { return asker(self, answers); };
  running_tree tree(
      {.children = {puppet_child("a", log), {.name = "b", .start = role<asker_state>(with_log)}}});
  REQUIRE(tree.wait_running("/b"));
  tracer_log trace;
  tree.dir().record("/a")->add_tracer(trace.fun());
  tree.dir().send("/b", ask_now{"/a"});
  REQUIRE(answers->wait(1));
  tree.dir().send("/b", ask_now{"/nowhere"});
  REQUIRE(answers->wait(2));
  tree.dir().send("/a", do_wait{hold});
  hold->wait_for_somebody();
  tree.dir().send("/b", ask_now{"/a"});
  REQUIRE(answers->wait(3));
  hold->open();
  const auto lines = answers->lines();
  CHECK(std::vector<wording>(lines.begin(), lines.end())
        == std::vector<wording>{"got 0", "nobody there to ask", "no answer in time"});
  CHECK(trace.lines->lines().front() == "message test::get_handled from /b");
}

TEST_CASE("what a handler returns, and a refusal, do not come back after a plain message") {
  auto log = std::make_shared<journal>();
  const auto quiet = [log](role_actor<asker_state>* self) { return asker(self, log); };
  running_tree tree({.children = {puppet_child("a", log), {.name = "b", .start = role<asker_state>(quiet)}}});
  REQUIRE(tree.wait_running("/b"));
  tree.dir().send("/b", tell_now{"/a"});
  tree.dir().send("/b", tell_now{"/root"});
  REQUIRE(eventually([&] { return tree.status("/a").handled == 3 && tree.status("/b").handled == 2; }));
  REQUIRE(tree.ask<child_removed>("/root", remove_child{"nobody"})
              .error()
              .is(errc::not_found)); // root is through
  REQUIRE(tree.ask<actor_status>("/b", status_request{}));
  CHECK(tree.status("/b").handled == 2); // nothing came back
  CHECK(tree.status("/b").refused == 0);
  CHECK(tree.status("/b").restarts == 0);
  CHECK(tree.status("/a").refused == 2);
}

TEST_CASE("errors keep category, code and text on their way through CAF") {
  const swarm::error in{error_category(errc::denied), static_cast<int>(errc::denied), "not yours"};
  const auto out = from_caf(to_caf(in));
  CHECK(out.is(errc::denied));
  CHECK(wording(out) == "not yours");
  CHECK(text_of(to_caf(in)) == "not yours");
  CHECK(text_of({}) == "normal end");
  CHECK(exit_info_of(caf::make_error(caf::exit_reason::kill)).kind == exit_kind::killed);
  CHECK(exit_info_of(caf::make_error(caf::exit_reason::user_shutdown)).kind == exit_kind::shutdown);
  CHECK(exit_info_of(to_caf(in)).kind == exit_kind::error);
}

} // namespace role_actor_test
