#include "actors/swci/language/session/script.hpp"

#include "actors/swci/language/session/user_folder.hpp"
#include "actors/swci/language/words.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace script_test {

using namespace swarm;
using namespace swarm::swci;
using swarm::testing::says;

namespace {

std::vector<std::string> lines_of(std::string_view bytes) {
  const auto out = split_script(bytes);
  REQUIRE(out);
  std::vector<std::string> texts;
  for (const auto& each : *out) {
    texts.push_back(each.text);
    CHECK(each.number == texts.size());
  }
  return texts;
}

using words = std::vector<std::string>;

} // namespace

TEST_CASE("a script's lines end as its editor ended them") {
  CHECK(lines_of("LIST NODES\nEXIT\n") == words{"LIST NODES", "EXIT"});
  CHECK(lines_of("LIST NODES\r\nEXIT\r\n") == words{"LIST NODES", "EXIT"});
  CHECK(lines_of("LIST NODES\nEXIT") == words{"LIST NODES", "EXIT"});
  CHECK(lines_of("\xef\xbb\xbf"
                 "EXIT\n")
        == words{"EXIT"});
  CHECK(lines_of("# one\n\n  \nEXIT\n\n") == words{"# one", "", "  ", "EXIT", ""});
  CHECK(lines_of("\tEXIT") == words{"\tEXIT"});
  CHECK(lines_of("").empty());
  CHECK(lines_of("\xef\xbb\xbf").empty());
  CHECK(lines_of("\n") == words{""});
}

TEST_CASE("what is no script is refused as a whole, with the line") {
  const auto refused = [](std::string_view bytes, errc code, std::string_view text) {
    const auto out = split_script(bytes);
    REQUIRE(!out);
    CHECK(out.error().is(code));
    CHECK(says(out.error(), text));
  };
  refused("EXIT\nLIST\x1b[2J NODES\n", errc::invalid, "line 2: the line has control characters; remove them");
  refused(std::string_view("E\0X\0", 4), errc::invalid,
          "line 1: the line has control characters; remove them");
  refused("EXIT\n\n\xff\xfe\n", errc::invalid, "line 3: the line is not UTF-8");
  refused("EXIT\rEXIT\n", errc::invalid, "line 1: the line has control characters; remove them");
  refused("EXIT\n" + std::string(line_bytes_max + 1, 'x'), errc::limit,
          "line 2: the line is longer than 4096 bytes");
  refused(std::string(script_bytes_max + 1, '\n'), errc::limit,
          "the script has 1048577 bytes; at most 1048576 are taken");
  refused(std::string(script_lines_max + 1, '\n'), errc::limit, "the script has more than 20000 lines");
  CHECK(split_script(std::string(script_lines_max, '\n')));
}

TEST_CASE("paths lead nowhere but into the user folder") {
  const user_folder folder("/home/op/ws/swci/");
  const auto inside = [&](std::string_view working, std::string_view text) {
    const auto out = folder.inside(working, text);
    REQUIRE_MESSAGE(out, text);
    return *out;
  };
  CHECK(inside("", "taskdefs/build.yaml") == "taskdefs/build.yaml");
  CHECK(inside("taskdefs", "build.yaml") == "taskdefs/build.yaml");
  CHECK(inside("taskdefs", "..") == "");
  CHECK(inside("a/b", "../c/./d//e") == "a/c/d/e");
  CHECK(inside("a", "/platform/swarm/usr") == "");
  CHECK(inside("a", "/platform/swarm/usr/x/") == "x");
  CHECK(inside("a", "/home/op/ws/swci/x") == "x");
  CHECK(inside("a/b", ".") == "a/b");
  CHECK(inside("", "...") == "...");
  for (const auto* text :
       {"..", "../..", "a/../..", "/", "/etc/passwd", "/platform/swarm/usr/..", "/platform/swarm/usrx",
        "/platform/swarm", "/home/op/ws/swci-2", "/home/op/ws/swci/../swci", "a/../../swci/x"}) {
    CAPTURE(text);
    const auto out = folder.inside("", text);
    REQUIRE(!out);
    CHECK(out.error().is(errc::denied));
  }
  CHECK(says(folder.inside("", "..").error(),
             "'..' is outside of /platform/swarm/usr, which commands cannot leave"));
  CHECK(!folder.inside("a", "../.."));
  CHECK(user_folder::shown("") == "/platform/swarm/usr");
  CHECK(user_folder::shown("a/b") == "/platform/swarm/usr/a/b");
  CHECK(folder.on_host("") == "/home/op/ws/swci");
  CHECK(folder.on_host("a/b") == "/home/op/ws/swci/a/b");
  CHECK(user_folder("/").on_host("a") == "/a");
}

} // namespace script_test
