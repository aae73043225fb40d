#include "actors/sl/follower/session_note.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

using swarm::actors::session_note;
namespace fs = std::filesystem;

namespace {

struct folder {
  folder() {
    std::string name = (fs::temp_directory_path() / "session-note-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~folder() { fs::remove_all(path); }
  fs::path path;
};

} // namespace

TEST_CASE("a session note tells the next process what was under way") {
  const folder in;
  const auto file = in.path / "session";
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
  const auto file = in.path / "session";
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
