#include "actors/admin/admin.hpp"

#include "actors/supervision/testing/test_tree.hpp"
#include "base/testing/temporary_folder.hpp"
#include "base/testing/wording.hpp"
#include "transport/unix/unix_socket.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <filesystem>

namespace admin_test {

using namespace swarm;
using namespace swarm::actors;
using namespace swarm::actors::test;
using namespace std::chrono_literals;
using swarm::testing::wording;
namespace json = boost::json;

namespace {

struct query_state {};
/// Answers forwarded methods with the question.
caf::behavior query(role_actor<query_state>*) {
  return {[](const admin_query& q) {
    return fmt::format(R"({{"method":"{}","params":{}}})", q.method, q.params);
  }};
}

/// /admin, /s with puppets a and b, /query; and a client.
struct fixture {
  swarm::testing::temporary_folder folder;
  transport::io_runtime io{1};
  std::shared_ptr<journal> log = std::make_shared<journal>();
  std::filesystem::path socket = folder / "admin.sock";
  running_tree tree;

  fixture()
      : tree(
          {.children = {admin_child({.socket = socket, .io = &io, .answer_max = 100ms}),
                        nested({.name = "s", .children = {puppet_child("a", log), puppet_child("b", log)}}),
                        {.name = "query", .start = role<query_state>(query)}}}) {
    REQUIRE(tree.wait_running("/query"));
  }
  transport::unix_client client() {
    auto out = transport::unix_client::open(socket);
    REQUIRE(out);
    out->set_timeout(60s);
    return std::move(*out);
  }
};

json::object parsed(const result<std::string>& line) {
  REQUIRE(line);
  return json::parse(*line).as_object();
}

json::object call(transport::unix_client& to, std::string_view method, json::object params = {}) {
  return parsed(to.request(
      json::serialize(json::object{{"id", 1}, {"method", method}, {"params", std::move(params)}})));
}

wording message_of(const json::object& answer) {
  return std::string(answer.at("error").at("message").as_string());
}

} // namespace

TEST_CASE("tree shows every actor in tree order with fresh state") {
  fixture f;
  auto c = f.client();
  f.tree.dir().send("/s/a", do_nothing{});
  REQUIRE(f.tree.ask<int>("/s/a", get_handled{}) == 1);
  const auto answer = call(c, "tree");
  CHECK(answer.at("id") == 1);
  std::vector<std::string> paths;
  for (const auto& a : answer.at("result").at("actors").as_array()) {
    paths.emplace_back(a.at("path").as_string());
    CHECK(a.at("phase") == "running");
  }
  CHECK(paths == std::vector<std::string>{"/root", "/admin", "/s", "/s/a", "/s/b", "/query"});
  const auto& a = answer.at("result").at("actors").at(3);
  CHECK(a.at("state") == "puppet a");
  CHECK(a.at("handled") == 2);
  CHECK(answer.at("result").at("actors").at(2).at("kind") == "supervisor");
}

TEST_CASE("a stuck actor holds nobody up and is shown in its message") {
  fixture f;
  auto c = f.client();
  auto hold = std::make_shared<gate>();
  f.tree.dir().send("/s/a", do_wait{hold});
  hold->wait_for_somebody();
  f.tree.dir().send("/s/a", do_nothing{});
  auto answer = call(c, "actor", {{"name", "/s/a"}});
  CHECK(answer.at("result").at("current") == "test::do_wait");
  CHECK(answer.at("result").at("current_s").as_double() > 0);
  REQUIRE(eventually([&] { return f.tree.status("/s/a").current_ns > 60'000'000; }));
  const auto before = f.tree.status("/s/a").mailbox;
  answer = call(c, "tree"); // looking at a stuck actor does not fill its mailbox
  CHECK(f.tree.status("/s/a").mailbox == before);
  CHECK(answer.at("result").at("actors").at(3).at("current") == "test::do_wait");
  hold->open();
}

TEST_CASE("actor gives the detail; short names are enough, unclear and unknown ones are answered with help") {
  fixture f;
  auto c = f.client();
  const auto answer = call(c, "actor", {{"name", "b"}});
  CHECK(answer.at("result").at("path") == "/s/b");
  CHECK(answer.at("result").at("detail").at("puppet") == "b");
  const auto unknown = call(c, "actor", {{"name", "/s/bb"}});
  CHECK(unknown.at("error").at("code") == "not_found");
  CHECK(message_of(unknown) == "no actor is called /s/bb");
  CHECK(unknown.at("error").at("similar").at(0) == "/s/b");
  CHECK(message_of(call(c, "actor")) == "params.name is missing: the path of an actor, such as /sn/chain");
}

TEST_CASE("top compares two samples") {
  fixture f;
  auto c = f.client();
  const auto sent = c.write_line(R"({"id":"t","method":"top","params":{"interval_ms":50}})");
  REQUIRE(sent);
  for (int i = 0; i < 10; ++i)
    f.tree.dir().send("/s/b", do_nothing{});
  const auto answer = parsed(c.read_line());
  CHECK(answer.at("id") == "t");
  CHECK(answer.at("result").at("seconds").as_double() >= 0.05);
  CHECK(answer.at("result").at("actors").as_array().size() == 6);
}

TEST_CASE("kill ends the actor with an error, and its supervisor starts it again") {
  fixture f;
  auto c = f.client();
  CHECK(call(c, "kill", {{"name", "a"}}).at("result").at("killed") == "/s/a");
  REQUIRE(eventually([&] { return f.tree.status("/s/a").restarts == 1; }));
  REQUIRE(f.tree.wait_running("/s/a"));
  CHECK(wording(f.tree.status("/s/a").last_error) == "ended on an operator's command");
  CHECK(message_of(call(c, "kill", {{"name", "/root"}})).starts_with("the root is not for killing"));
  CHECK(call(c, "kill", {{"name", "/s"}}).at("result").at("killed")
        == "/s"); // a supervisor takes its children along
  REQUIRE(eventually([&] { return f.tree.status("/s").restarts == 1; }));
  REQUIRE(f.tree.wait_running("/s/b"));
}

TEST_CASE("trace streams every message until the client goes away") {
  fixture f;
  auto c = f.client();
  CHECK(call(c, "trace", {{"name", "a"}}).at("result").at("tracing") == "/s/a");
  f.tree.dir().send("/s/a", do_nothing{});
  f.tree.dir().send("/s/a", do_crash{"x"});
  std::vector<wording> seen;
  while (seen.size() < 5) {
    const auto line = parsed(c.read_line());
    CHECK(line.at("id") == 1);
    const auto& event = line.at("event").as_object();
    seen.push_back(fmt::format("{} {} {}", event.at("event").as_string().c_str(),
                               event.contains("type") ? event.at("type").as_string().c_str() : "",
                               event.contains("text") ? event.at("text").as_string().c_str() : ""));
  }
  CHECK(seen
        == std::vector<wording>{"message test::do_nothing ", "message test::do_crash because x",
                                "failed test::do_crash x", "ended  x (in message test::do_crash)",
                                "started  "});
  CHECK(f.tree.dir().record("/s/a")->traced());
  { const auto gone = std::move(c); }
  CHECK(eventually([&] { return !f.tree.dir().record("/s/a")->traced(); }));
}

TEST_CASE("roles add methods of their own, as functions or by asking an actor") {
  fixture f;
  auto c = f.client();
  auto& methods = f.tree.env().methods;
  methods.add("sum", [](const std::string& params, const method_reply& reply) {
    const auto p = json::parse(params).as_object();
    std::thread([reply, sum = p.at("x").as_int64() + 1] { reply(fmt::format("{}", sum)); }).detach();
  });
  methods.add("refuse",
              [](const std::string&, const method_reply& reply) { reply(fail(errc::denied, "not today")); });
  methods.add("silent", [](const std::string&, const method_reply&) {});
  methods.add("throw", [](const std::string&, const method_reply&) { throw std::runtime_error("oh"); });
  methods.add("broken", [](const std::string&, const method_reply& reply) { reply(std::string("{")); });
  methods.forward("ask", "/query");
  methods.forward("nobody", "/nowhere");
  CHECK(call(c, "sum", {{"x", 4}}).at("result") == 5);
  CHECK(call(c, "refuse").at("error").at("code") == "denied");
  CHECK(message_of(call(c, "refuse")) == "not today");
  CHECK(call(c, "silent").at("error").at("code") == "timeout");
  CHECK(message_of(call(c, "throw")) == "oh");
  CHECK(message_of(call(c, "broken")).starts_with("the answer to broken is not JSON"));
  const auto asked = call(c, "ask", {{"k", "v"}});
  CHECK(asked.at("result").at("method") == "ask");
  CHECK(asked.at("result").at("params").at("k") == "v");
  CHECK(message_of(call(c, "nobody")) == "/nowhere: nobody there to ask");
  CHECK(
      message_of(call(c, "chain")).starts_with("this process does not answer chain; it answers tree, actor"));
  CHECK(call(c, "methods").at("result").as_array().size() == 6 + 7);
}

TEST_CASE("bad lines get an error and do no harm") {
  fixture f;
  auto c = f.client();
  for (const std::string bad : {"", "x", "[]", "{}", R"({"method":7})", R"({"method":"tree","params":[]})",
                                R"({"id":1,"method":"tree")", R"({"method":"actor","params":{"name":3}})",
                                R"({"method":"top","params":{"interval_ms":"x"}})"}) {
    CAPTURE(bad);
    CHECK(parsed(c.request(bad)).at("error").at("code") == "invalid");
  }
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  CHECK(parsed(c.request(deep)).at("error").at("code") == "invalid");
  CHECK(call(c, "tree").contains("result"));
}

TEST_CASE("the admin actor answers before it ends itself; restarted it opens its socket again") {
  fixture f;
  {
    auto c = f.client();
    CHECK(call(c, "kill", {{"name", "admin"}}).at("result").at("killed") == "/admin");
    CHECK(c.read_line().error().is(transport::net_errc::closed));
  }
  REQUIRE(eventually([&] { return f.tree.status("/admin").restarts == 1; }));
  REQUIRE(f.tree.wait_running("/admin"));
  auto c = f.client();
  CHECK(call(c, "tree").contains("result"));
}

TEST_CASE("a second process on the same socket ends; a path that cannot be used only costs the socket") {
  fixture f;
  auto log = std::make_shared<journal>();
  {
    running_tree second(
        {.children = {admin_child({.socket = f.socket, .io = &f.io}), puppet_child("a", log)}});
    CHECK(second.wait() == exit_gave_up);
  }
  running_tree third({.children = {admin_child({.socket = "/nonexistent/admin.sock", .io = &f.io}),
                                   puppet_child("a", log)}});
  REQUIRE(third.wait_running("/a"));
  const auto status = third.ask<actor_status>("/admin", status_request{});
  REQUIRE(status);
  CHECK(status->state.starts_with("no socket: "));
}

} // namespace admin_test
