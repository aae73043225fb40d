#include "actors/swop/lines/own_log.hpp"

#include <doctest/doctest.h>

namespace own_log_test {

using namespace swarm;
using namespace swarm::swop;

namespace {

log::tail_line line(std::uint64_t number, std::string text) {
  return {number, 1'700'000'000'000 + number, log::level::warning, "swarm.swop", std::move(text)};
}

std::vector<log::tail_line> there_and_back(const std::vector<log::tail_line>& lines) {
  const auto text = encode_own_log(lines);
  CHECK(text.size() <= own_log_body_bytes_max);
  auto back = decode_own_log(text);
  REQUIRE(back);
  return std::move(*back);
}

} // namespace

TEST_CASE("a target of a log is read as it was written, and nothing else is one") {
  CHECK(own_log_target(4711) == "/log/4711");
  CHECK(after_of_target(own_log_target(~0ull)) == ~0ull);
  for (const auto* target : {"", "/log", "/log/", "/log/-1", "/log/1/", "/log/1?x", "/log/ 1", "/LOG/1",
                             "/log/18446744073709551616", "/log/../etc/passwd"})
    CHECK_MESSAGE(!after_of_target(target), target);
}

TEST_CASE("lines of a log come back as they were, and as text, whatever they hold") {
  const auto back = there_and_back({line(3, "task \"a\" \u00e4 <b>\n"), line(7, "half \xc3 a character")});
  REQUIRE(back.size() == 2);
  CHECK(back[0].number == 3);
  CHECK(back[0].unix_ms == 1'700'000'000'003);
  CHECK(back[0].lvl == log::level::warning);
  CHECK(back[0].source == "swarm.swop");
  CHECK(back[0].text == "task \"a\" \u00e4 <b>\n");
  CHECK(back[1].text == "half ? a character");
  CHECK(there_and_back({}).empty());
}

TEST_CASE("of too many lines, or too much, the newest are told") {
  std::vector<log::tail_line> many;
  for (std::uint64_t number = 1; number <= 2000; ++number)
    many.push_back(line(number, std::string(log::tail_text_bytes_max,
                                            number % 2 == 0 ? '\x01' : 'x'))); // six bytes each in JSON
  const auto back = there_and_back(many);
  CHECK(back.size() > 100);
  CHECK(back.size() <= own_log_lines_max);
  CHECK(back.back().number == 2000);
}

TEST_CASE("what is no log is refused, by its bounds") {
  const auto with = [](std::string_view text) {
    return decode_own_log(fmt::format(
        R"({{"lines":[{{"number":1,"time_ms":1,"level":"info","source":"s","text":"{}"}}]}})", text));
  };
  CHECK(with("x"));
  CHECK(with(std::string(log::tail_text_bytes_max + 1, 'x')).error().is(errc::limit));
  CHECK(decode_own_log(std::string(own_log_body_bytes_max + 1, ' ')).error().is(errc::limit));
  const std::string one = R"({"number":1,"time_ms":1,"level":"info","source":"s","text":"t"})";
  for (const auto& text :
       {std::string(), std::string("{}"), std::string("[]"), std::string(R"({"lines":[1]})"),
        R"({"lines":[)" + one + "," + one + "]}", std::string(R"({"lines":[{"number":1}]})"),
        std::string(R"({"lines":[{"number":-1,"time_ms":1,"level":"info","source":"s","text":"t"}]})"),
        std::string(R"({"lines":[{"number":1,"time_ms":1,"level":"loud","source":"s","text":"t"}]})")})
    CHECK_MESSAGE(decode_own_log(text).error().is(errc::invalid), text);
}

} // namespace own_log_test
