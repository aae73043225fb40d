#include "actors/swop/lines/last_lines.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <numeric>

namespace last_lines_test {

using namespace swarm;
using namespace swarm::swop;

namespace {

std::size_t bytes_of(const program_lines& one) {
  return std::accumulate(one.lines.begin(), one.lines.end(), std::size_t{0},
                         [](std::size_t sum, const auto& line) { return sum + line.size(); });
}

std::vector<program_lines> there_and_back(std::vector<program_lines> what) {
  const auto text = encode_last_lines(std::move(what));
  CHECK(text.size() <= last_lines_body_bytes_max);
  auto back = decode_last_lines(text);
  REQUIRE(back);
  return std::move(*back);
}

std::string with_program(const std::string& members) {
  return R"({"programs":[{)" + members + "}]}";
}

} // namespace

TEST_CASE("a part's target is read as it was written, and nothing else is a part") {
  const part_id part{7, 4711, 2};
  CHECK(lines_target({part}) == "/last-lines/7.4711.2");
  CHECK(wish_of_target(lines_target({part})) == lines_wish{part});
  CHECK(lines_target({part, true}) == "/lines/7.4711.2");
  CHECK(wish_of_target("/lines/7.4711.2") == lines_wish{part, true});
  CHECK(wish_of_target("/last-lines/18446744073709551615.0.4294967295"));
  for (const auto* target :
       {"", "/", "/last-lines/", "/last-lines/1.2", "/last-lines/1.2.3.4", "/last-lines/1..3",
        "/last-lines/-1.2.3", "/last-lines/1.2.3/", "/last-lines/1.2.3?x", "/last-lines/ 1.2.3",
        "/last-lines/18446744073709551616.2.3", "/last-lines/1.2.4294967296", "/last-lines/../../etc/passwd",
        "last-lines/1.2.3", "/lines/", "/lines/1.2", "/lines/1.2.3?after=1", "/lines/last-lines/1.2.3",
        "/LAST-LINES/1.2.3"})
    CHECK_MESSAGE(!wish_of_target(target), target);
}

TEST_CASE("lines come back as they were, by pair and program") {
  const program_lines ml{0,
                         program_kind::ml,
                         "the program exited (exit code 3)",
                         {"Traceback (most recent call last):", "", "KeyError: \"\\x\" \u00e4"}};
  const program_lines sl{0, program_kind::sl, "SL exited (exit code 137)", {}};
  const program_lines second{1, program_kind::ml, "out of memory", {"x"}};
  CHECK(there_and_back({second, ml, sl}) == std::vector{sl, ml, second});
  CHECK(there_and_back({}).empty());
  const program_lines sn{0, program_kind::sn, "the program exited (exit code 1)", {"no"}, "sn-2"};
  CHECK(there_and_back({sn}) == std::vector{sn});
  CHECK(!decode_last_lines(with_program(R"("index":0,"program":"sn","ended":"","lines":[])")));
}

TEST_CASE("how a program ended is said in words") {
  CHECK(ended_text({task_failure::program_exited, 3}) == "the program exited (exit code 3)");
  CHECK(ended_text({task_failure::path_missing, 0}) == "a path is missing");
}

TEST_CASE("what is too much is left out: old lines, the ends of long ones, whole characters") {
  std::vector<std::string> many;
  for (int i = 0; i < 30; ++i)
    many.push_back(std::to_string(i));
  auto back = there_and_back({{0, program_kind::ml, "x", many}});
  CHECK(back[0].lines == std::vector<std::string>(many.end() - last_lines_max, many.end()));

  std::string wide;
  while (wide.size() <= last_line_bytes_max)
    wide += "\u20ac"; // three bytes
  back = there_and_back({{0, program_kind::ml, "x", {wide}}});
  CHECK(back[0].lines[0] == wide.substr(0, last_line_bytes_max / 3 * 3));
}

TEST_CASE("all programs of the largest part share the room, and each keeps its newest lines") {
  std::vector<program_lines> all;
  for (std::uint32_t i = 0; i < contracts::swop_slots_max; ++i)
    for (const auto kind : {program_kind::sl, program_kind::ml})
      all.push_back({i, kind, std::string(1000, 'e'),
                     std::vector<std::string>(30, std::string(5000, '"'))}); // twice as long in JSON
  all.push_back(all.front());                                                // one too many
  const auto back = there_and_back(all);
  CHECK(back.size() == 2 * contracts::swop_slots_max);
  std::size_t bytes = 0;
  for (const auto& each : back) {
    CHECK(each.lines.size() == 1);
    bytes += bytes_of(each);
  }
  CHECK(bytes <= last_lines_bytes_max);
}

TEST_CASE("an answer that is none, or too much, is refused") {
  const auto good = std::string(R"("index":0,"program":"ml","ended":"x","lines":["a"])");
  REQUIRE(decode_last_lines(with_program(good)));
  for (const auto& text :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"programs":{}})"),
        std::string(R"({"programs":[1]})"), with_program(""),
        with_program(R"("index":-1,"program":"ml","ended":"x","lines":[])"),
        with_program(R"("index":64,"program":"ml","ended":"x","lines":[])"),
        with_program(R"("index":0.5,"program":"ml","ended":"x","lines":[])"),
        with_program(R"("index":0,"program":"xx","ended":"x","lines":[])"),
        with_program(R"("index":0,"program":"ml","lines":[])"),
        with_program(R"("index":0,"program":"ml","ended":"x","lines":"a")"),
        with_program(R"("index":0,"program":"ml","ended":"x","lines":[1])"), with_program(good) + "x",
        R"({"programs":)" + std::string(1000, '[') + std::string(1000, ']') + "}",
        with_program("\"index\":0,\"program\":\"ml\",\"ended\":\"x\",\"lines\":[\"\xff\"]")}) {
    const auto read = decode_last_lines(text);
    REQUIRE_MESSAGE(!read, text);
    CHECK_MESSAGE(read.error().is(errc::invalid), text);
  }
  std::string lines = "\"a\"";
  for (std::size_t i = 1; i <= last_lines_max; ++i)
    lines += ",\"a\"";
  std::string programs = "{" + good + "}";
  for (std::size_t i = 1; i <= 2 * contracts::swop_slots_max; ++i)
    programs += ",{" + good + "}";
  for (const auto& text :
       {with_program(R"("index":0,"program":"ml","ended":"x","lines":[)" + lines + "]"),
        with_program(R"("index":0,"program":"ml","ended":"x","lines":[")"
                     + std::string(last_line_bytes_max + 1, 'a') + "\"]"),
        with_program(R"("index":0,"program":"ml","ended":")" + std::string(201, 'a') + R"(","lines":[])"),
        R"({"programs":[)" + programs + "]}", std::string(last_lines_body_bytes_max + 1, ' ')}) {
    const auto read = decode_last_lines(text);
    REQUIRE(!read);
    CHECK(read.error().is(errc::limit));
  }
}

TEST_CASE("a refusal is a code") {
  for (const auto why : {lines_refusal::other_organisation, lines_refusal::no_swci})
    CHECK(decode_refusal(encode_refusal(why)) == why);
  for (const auto* text : {"", "{}", R"({"refused":1})", R"({"refused":"whatever"})", "refused"})
    CHECK_FALSE(decode_refusal(text));
}

} // namespace last_lines_test
