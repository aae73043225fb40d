#include "actors/sl/follower/session_note.hpp"

#include "base/testing/power_cuts.hpp"
#include "base/testing/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <vector>

namespace session_note_test {

using swarm::actors::session_note;
namespace fs = std::filesystem;

namespace {

using folder = swarm::testing::temporary_folder;

} // namespace

TEST_CASE("a session note tells the next process what was under way") {
  const folder in;
  const auto file = in / "session";
  session_note first(file);
  CHECK(first.former().empty());
  REQUIRE(first.keep("defaultbb.cqdb.sml.hpe"));
  CHECK(session_note(file).former() == "defaultbb.cqdb.sml.hpe");
  REQUIRE(first.keep("other"));
  session_note second(file);
  CHECK(second.former() == "other");
  REQUIRE(second.keep(""));
  CHECK(!fs::exists(file));
  CHECK(session_note(file).former().empty());
  CHECK(second.keep(""));
}

TEST_CASE("a session note that is not legible is none") {
  const folder in;
  const auto file = in / "session";
  for (const auto& text :
       {std::string("two words"), std::string(65, 'a'), std::string("\0", 1), std::string()}) {
    std::ofstream(file, std::ios::trunc) << text;
    CHECK(session_note(file).former().empty());
  }
}

TEST_CASE("a session note that cannot be written says so once") {
  session_note note("/proc/no-such-folder/session");
  CHECK(!note.keep("training"));
  CHECK(note.keep("training"));
}

TEST_CASE("a power cut at any change of the disk takes no session note that was kept") {
  const folder in;
  const auto recorded = in / "recorded";
  fs::create_directory(recorded);
  swarm::testing::watched_folder disk(recorded);
  const std::vector<std::string> names{"first", "second", "third"};
  std::vector<std::size_t> kept_at; ///< in changes of the disk
  session_note note(recorded / "session");
  for (const auto& name : names) {
    REQUIRE(note.keep(name));
    kept_at.push_back(disk.record().changes());
  }
  swarm::testing::cut_plan plan(1);
  swarm::testing::cut_everywhere(disk.record(), in / "cut", plan, [&](std::size_t at, const fs::path& left) {
    const auto former = session_note(left / "session").former();
    const auto sure = static_cast<std::size_t>(
        std::count_if(kept_at.begin(), kept_at.end(), [&](std::size_t each) { return each <= at; }));
    const bool is_last_kept = sure == 0 ? former.empty() : former == names[sure - 1];
    const bool is_next = sure < names.size() && former == names[sure];
    REQUIRE_MESSAGE((is_last_kept || is_next), former);
  });
}

} // namespace session_note_test
