#include "actors/swci/commands/known_names.hpp"

#include "base/testing/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace known_names_test {

using namespace swarm;
using namespace swarm::swci;

namespace {

using words = std::vector<std::string>;

context_list contexts(const std::string& present) {
  context_list out;
  REQUIRE(out.add("one", {"sn1", 30304}));
  REQUIRE(out.add("two", {"sn2", 30304}));
  REQUIRE(out.make_default(present));
  return out;
}

struct folder {
  swarm::testing::temporary_folder where;
  const std::filesystem::path& path = where.path();

  folder() {
    std::filesystem::create_directories(path / "usr/taskdefs");
    std::filesystem::create_directories(path / "elsewhere");
    for (const auto* file :
         {"usr/run.yaml", "usr/.hidden", "usr/taskdefs/a.yaml", "usr/taskdefs/b.yaml", "elsewhere/secret"})
      std::ofstream(path / file) << "x";
    std::filesystem::create_symlink(path / "elsewhere", path / "usr/out");
  }
};

words sorted(words all) {
  std::sort(all.begin(), all.end());
  return all;
}

} // namespace

TEST_CASE("names come from answers of the present context") {
  known_names names(user_folder("/nowhere"));
  CHECK(names.of(hole_kind::context, "").empty());
  names.session_stands(contexts("one"), "");
  CHECK(names.of(hole_kind::context, "") == words{"one", "two"});
  names.learn("one", answers::names{"contracts", {"c1"}});
  names.learn("one", answers::names{"tasks", {"t1", "t2"}});
  names.learn("one", answers::names{"taskrunners", {"tr"}});
  names.learn("one", answers::nodes{{{"SN", "h", 1, "sn-1", "0xaa", "", {}},
                                     {"SWOP", "h", 2, "swop-1", "0xbb", "", {}}}});
  names.learn("one", answers::organisations{{{.id = 1, .name = "Clinic A"}}, {}});
  names.learn("two", answers::names{"contracts", {"of another network"}});
  names.learn("one", answers::sn_is_up{});
  CHECK(names.of(hole_kind::organisation, "") == words{"Clinic A"});
  CHECK(names.of(hole_kind::contract, "") == words{"c1"});
  CHECK(names.of(hole_kind::task, "") == words{"t1", "t2"});
  CHECK(names.of(hole_kind::taskrunner, "") == words{"tr"});
  CHECK(names.of(hole_kind::node, "") == words{"0xaa", "0xbb"});
  CHECK(names.of(hole_kind::peer, "") == words{"0xbb"});
  CHECK(names.of(hole_kind::seconds, "").empty());

  names.learn("one", answers::names{"tasks", {"t2"}});
  CHECK(names.of(hole_kind::task, "") == words{"t2"});
  names.session_stands(contexts("one"), "");
  CHECK(names.of(hole_kind::task, "") == words{"t2"});
  names.session_stands(contexts("two"), "");
  CHECK(names.of(hole_kind::task, "").empty());
  CHECK(names.of(hole_kind::peer, "").empty());
}

TEST_CASE("files are those of the user folder, and of nothing outside") {
  const folder disk;
  known_names names(user_folder((disk.path / "usr").native()));
  CHECK(sorted(names.of(hole_kind::file, "")) == words{"out/", "run.yaml", "taskdefs/"});
  CHECK(names.of(hole_kind::folder, "t") == words{"taskdefs/"});
  CHECK(sorted(names.of(hole_kind::file, "taskdefs/")) == words{"taskdefs/a.yaml", "taskdefs/b.yaml"});
  CHECK(names.of(hole_kind::file, "/platform/swarm/usr/taskdefs/b")
        == words{"/platform/swarm/usr/taskdefs/b.yaml"});
  CHECK(names.of(hole_kind::file, "out/").empty());
  CHECK(names.of(hole_kind::file, "../").empty());
  CHECK(names.of(hole_kind::file, "missing/").empty());
  names.session_stands({}, "taskdefs");
  CHECK(sorted(names.of(hole_kind::file, "")) == words{"a.yaml", "b.yaml"});
  CHECK(names.of(hole_kind::file, "../r") == words{"../run.yaml"});
}

} // namespace known_names_test
