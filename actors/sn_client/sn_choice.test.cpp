#include "actors/sn_client/sn_choice.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <set>

using swarm::actors::sn_choice;
namespace fs = std::filesystem;

namespace {

struct folder {
  folder() {
    std::string name = (fs::temp_directory_path() / "sn-choice-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~folder() { fs::remove_all(path); }
  fs::path path;
};

} // namespace

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
  const folder in;
  const auto file = in.path / "sns";
  {
    sn_choice sn("a:1", file, 0);
    CHECK(sn.count() == 1);
    REQUIRE(sn.learn({"b:2", "no endpoint", "", "c:99999", "d:4"}));
  }
  sn_choice again("a:1", file, 0);
  CHECK(again.count() == 3);
  std::ofstream(file, std::ios::trunc) << std::string(100'000, 'x') << "\n\n:\n";
  CHECK(sn_choice("a:1", file, 0).count() == 1);
  CHECK(!sn_choice("a:1", "/proc/no-such-folder/sns", 0).learn({"b:2"}));
}
