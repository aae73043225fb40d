#include "actors/sn_client/session/sn_choice.hpp"

#include <doctest/doctest.h>

#include <set>

namespace sn_choice_test {

using swarm::session::sn_choice;

TEST_CASE("with one SN there is nobody else to ask") {
  sn_choice sn("a:1", {}, 0);
  for (int i = 0; i < 10; ++i)
    CHECK(!sn.failed());
  CHECK(!sn.move_on());
  CHECK(sn.current() == "a:1");
}

TEST_CASE("an SN that fails three times in a row gives way to the next, and comes round again") {
  sn_choice sn("a:1", {}, 0);
  REQUIRE(sn.learn({"c:3", "b:2", "a:1", "b:2"}));
  CHECK(sn.count() == 3);
  std::string order;
  for (int i = 0; i < 9; ++i) {
    sn.failed();
    order += sn.current().substr(0, 1);
  }
  CHECK(order == "aabbbccca");
  sn.failed();
  sn.failed();
  sn.came_up();
  CHECK(!sn.failed());
  CHECK(sn.is_configured());
}

TEST_CASE("nodes go to different ones next") {
  std::set<std::string> next;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    sn_choice sn("a:1", {}, seed);
    REQUIRE(sn.learn({"b:2", "c:3", "d:4"}));
    sn.move_on();
    next.insert(sn.current());
  }
  CHECK(next.size() == 3);
}

TEST_CASE("the SN in use stays, also when the network no longer names it") {
  sn_choice sn("a:1", {}, 0);
  REQUIRE(sn.learn({"b:2"}));
  REQUIRE(sn.move_on());
  REQUIRE(sn.learn({"c:3"}));
  CHECK(sn.current() == "b:2");
  CHECK(sn.count() == 3);
}

TEST_CASE("what the network told is there after a restart; garbage is not believed") {
  sn_choice sn("a:1", {}, 0);
  CHECK(sn.count() == 1);
  REQUIRE(sn.learn({"b:2", "no endpoint", "", "c:99999", "d:4", "e\n:1", std::string(300, 'x') + ":1"}));
  CHECK(sn.others() == std::vector<std::string>{"b:2", "d:4"});
  CHECK_FALSE(sn.learn({"d:4", "b:2"})); // nothing new
  CHECK(sn_choice("a:1", sn.others(), 0).count() == 3);
  CHECK(sn_choice("a:1", {std::string(60'000, 'x'), "", ":"}, 0).count() == 1);
  std::vector<std::string> many;
  for (int i = 1; i <= 1000; ++i)
    many.push_back("x:" + std::to_string(i));
  REQUIRE(sn.learn(many));
  CHECK(sn.count() == 1 + sn_choice::others_max);
}

} // namespace sn_choice_test
