#include "actors/swop/managers/process/output_log.hpp"

#include "actors/swop/managers/manager.hpp"
#include "actors/swop/managers/process/testing/scratch.hpp"
#include "base/random.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace output_log_test {

using namespace swarm;
using namespace swarm::managers;
using swarm::managers::test::scratch;
namespace fs = std::filesystem;

namespace {

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("files are rotated at their bounds, whatever is written at once") {
  for (const std::size_t part : {1U, 7U, 1000U, 100'000U}) {
    CAPTURE(part);
    const scratch room;
    auto log = output_log::open(room.where, {{}, 5000, 3});
    REQUIRE(log);
    std::string all;
    for (int i = 0; i < 5000; ++i)
      all += fmt::format("line {}\n", i);
    for (std::size_t at = 0; at < all.size(); at += part)
      log->write(std::string_view(all).substr(at, part));
    std::string kept;
    for (const char* name : {"output.log.2", "output.log.1", "output.log"}) {
      const auto text = read_file(room.where / name, 5000);
      REQUIRE(text);
      kept += *text;
    }
    CHECK(all.ends_with(kept));
    CHECK(kept.size() > 10'000);
    CHECK(std::distance(fs::directory_iterator(room.where), {}) == 3);
    CHECK(last_lines_in(room.where, 2) == lines{"line 4998", "line 4999"});
    CHECK(last_lines_in(room.where, 1'000'000).size() == 1000);
  }
}

TEST_CASE("one file only, and one that is gone on with") {
  const scratch room;
  {
    auto log = output_log::open(room.where, {{}, 4096, 1});
    REQUIRE(log);
    log->write(std::string(5000, 'a') + "\nend\n");
  }
  auto log = output_log::open(room.where, {{}, 4096, 1});
  REQUIRE(log);
  log->write("more\n");
  CHECK(last_lines_in(room.where, 2) == lines{"end", "more"});
  CHECK(fs::file_size(room.where / "output.log") < 4096);
  CHECK_FALSE(fs::exists(room.where / "output.log.1"));
  log->note("a note");
  CHECK(last_lines_in(room.where, 1) == lines{"[a note]"});
}

TEST_CASE("what cannot be written is counted, and told when it can be again") {
  const scratch room;
  const auto folder = room.where / "logs";
  REQUIRE(::mkdir(folder.c_str(), 0700) == 0);
  auto log = output_log::open(folder, {{}, 4096, 2});
  REQUIRE(log);
  log->write(std::string(4096, 'a'));
  fs::rename(folder, room.where / "away"); // the folder goes just before a rotation
  log->write("lost 1\n");
  log->write("lost 2\n");
  fs::rename(room.where / "away", folder);
  log->write("kept\n");
  CHECK(last_lines_in(folder, 2) == lines{"[14 bytes of output were lost: the disk took nothing]", "kept"});
}

TEST_CASE("nothing but regular files is written to or read") {
  const scratch room;
  fs::create_symlink(room.where / "target", room.where / "output.log");
  CHECK_FALSE(output_log::open(room.where, {{}, 4096, 2}));
  CHECK_FALSE(fs::exists(room.where / "target"));
  CHECK(last_lines_in(room.where, 5).empty());
  fs::remove(room.where / "output.log");
  REQUIRE(::mkfifo((room.where / "output.log").c_str(), 0600) == 0);
  CHECK_FALSE(output_log::open(room.where, {{}, 4096, 2}));
  CHECK(last_lines_in(room.where, 5).empty());
  CHECK(last_lines_in(room.where / "nowhere", 5).empty());
}

TEST_CASE("removing output removes nothing else") {
  const scratch room;
  for (const char* name : {"output.log", "output.log.1", "output.log.mine", "other"})
    REQUIRE(create_file(room.where / name, as_bytes("x")));
  remove_output(room.where);
  CHECK_FALSE(fs::exists(room.where / "output.log.1"));
  CHECK(fs::exists(room.where / "output.log.mine"));
  CHECK(fs::exists(room.where / "other"));
}

TEST_CASE("lines are fit to be shown") {
  CHECK(last_lines_of("", 5).empty());
  CHECK(last_lines_of("\n", 5).empty());
  CHECK(last_lines_of("a", 5) == lines{"a"});
  CHECK(last_lines_of("a\n\nb\n", 5) == lines{"a", "", "b"});
  CHECK(last_lines_of("a\nb\nc\n", 2) == lines{"b", "c"});
  CHECK(last_lines_of("a\nb", 0).empty());
  CHECK(last_lines_of("10%\r50%\r100%\r\n", 1) == lines{"100%"});
  CHECK(last_lines_of("tab\there \x1b[31mred\x1b[0m \a\x7f", 1) == lines{"tab here ?[31mred?[0m ??"});
  CHECK(last_lines_of("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x9d", 1)
        == lines{"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x9d"});
  // Cut sequences, stray ones, overlong ones, surrogates, and control characters beyond ASCII.
  CHECK(last_lines_of("\xc3", 1) == lines{"?"});
  CHECK(last_lines_of("\x80 \xff", 1) == lines{"? ?"});
  CHECK(last_lines_of("\xc0\xaf \xe0\x80\xaf \xed\xa0\x80 \xf4\x90\x80\x80", 1) == lines{"?? ??? ??? ????"});
  CHECK(last_lines_of("\xc2\x9b"
                      "31m",
                      1)
        == lines{"?31m"});
  const auto cut = last_lines_of(std::string(1999, 'a') + "\xc3\xbc", 1);
  REQUIRE(cut.size() == 1);
  CHECK(cut.front() == std::string(1999, 'a'));
}

TEST_CASE("any bytes at all become lines within bounds") {
  seeded_random random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string text(random.below(200), '\0');
    for (auto& each : text)
      each = static_cast<char>(random.below(256));
    for (const auto& line : last_lines_of(text, 10)) {
      CHECK(line.size() <= output_line_bytes_max);
      CHECK(line.find('\n') == std::string::npos);
      CHECK(last_lines_of(line, 1)
            == (line.empty() ? lines{} : lines{line})); // fit, and fit to be made fit again
    }
  }
}

} // namespace output_log_test
