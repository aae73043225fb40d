#include "actors/admin/actor_names.hpp"

#include "actors/admin/status_json.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

namespace actor_names_test {

using namespace swarm::actors;

namespace {
const std::vector<std::string> paths{"/root", "/admin",      "/sn",   "/sn/chain",  "/sn/consensus",
                                     "/sl-1", "/sl-1/files", "/sl-2", "/sl-2/files"};
using names = std::vector<std::string>;
} // namespace

TEST_CASE("a whole path, or an end that fits one actor, is found") {
  CHECK(match_actor("/sn/chain", paths).path == "/sn/chain");
  CHECK(match_actor("chain", paths).path == "/sn/chain");
  CHECK(match_actor("sn/chain", paths).path == "/sn/chain");
  CHECK(match_actor("root", paths).path == "/root");
  CHECK(match_actor("sl-2/files", paths).path == "/sl-2/files");
}

TEST_CASE("an end that fits several is not guessed") {
  const auto match = match_actor("files", paths);
  CHECK(match.path.empty());
  CHECK(match.similar == names{"/sl-1/files", "/sl-2/files"});
}

TEST_CASE("typing errors bring up the names that could be meant, strangers nothing") {
  CHECK(match_actor("/sn/chian", paths).similar.at(0) == "/sn/chain");
  CHECK(match_actor("consensu", paths).similar.at(0) == "/sn/consensus");
  CHECK(match_actor("sl", paths).similar.at(3) == "/sl-2/files");
  CHECK(match_actor("zzzzzzzzzz", paths).similar.empty());
  CHECK(match_actor("", paths).similar.empty());
}

TEST_CASE("top compares two samples; an actor started in between counts from its start") {
  const auto named = [](std::string path) {
    actor_status s;
    s.path = std::move(path);
    return s;
  };
  auto a = named("/a"), b = named("/b"), c = named("/c");
  a.actor_id = 1;
  a.busy_ns = 1'000'000'000;
  a.handled = 100;
  b.actor_id = 2;
  b.busy_ns = 500;
  auto a2 = a, b2 = b;
  a2.busy_ns += 100'000'000;
  a2.handled = 300;
  b2.actor_id = 7; // restarted
  b2.busy_ns = 1'500'000'000;
  b2.handled = 3;
  c.mailbox = 4;
  const auto rows = top_rows({a, b}, {a2, b2, c}, 2.0);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].at("path") == "/b");
  CHECK(rows[0].at("busy").as_double() == doctest::Approx(0.75));
  CHECK(rows[0].at("handled_per_s").as_double() == doctest::Approx(1.5));
  CHECK(rows[1].at("path") == "/a");
  CHECK(rows[1].at("busy").as_double() == doctest::Approx(0.05));
  CHECK(rows[1].at("handled_per_s").as_double() == doctest::Approx(100));
  CHECK(rows[2].at("mailbox") == 4);
}

TEST_CASE("a state struct's detail is JSON if it is JSON, text otherwise") {
  actor_status s;
  s.detail = R"({"x":1})";
  CHECK(to_json(s, true).at("detail").at("x") == 1);
  CHECK(!to_json(s, false).contains("detail"));
  s.detail = "no json";
  CHECK(to_json(s, true).at("detail") == "no json");
}

} // namespace actor_names_test
