#include "base/log_format.hpp"

#include <doctest/doctest.h>

namespace log_format_test {

using namespace swarm;

TEST_CASE("a line for people says what its source is at") {
  CHECK(log::text_line(log::level::warning, "swarm.SL", "a word", {}) == "swarm.SL : WARNING : a word");
  CHECK(log::text_line(log::level::info, "swarm.SL", "a word", {"c", 2, 7})
        == "swarm.SL : INFO : a word [contract=c generation=2 round=7]");
}

TEST_CASE("a line for programs is one object of JSON, whatever is in it") {
  CHECK(log::json_line(1'764'489'600'007, log::level::error, "swarm", "a word", {})
        == R"({"time":"2025-11-30T08:00:00.007Z","level":"ERROR","actor":"swarm","message":"a word"})");
  CHECK(log::json_line(0, log::level::info, "s", "x", {"c\"", 2, 7})
        == R"({"time":"1970-01-01T00:00:00.000Z","level":"INFO","actor":"s","message":"x",)"
           R"("contract":"c\"","generation":2,"round":7})");
  const auto said = [](std::string_view text) {
    const auto line = log::json_line(0, log::level::info, "s", text, {});
    return line.substr(line.find("\"message\":") + 10);
  };
  CHECK(said("a\"b\\c\n\t\x01") == R"("a\"b\\c\n\u0009\u0001"})");
  CHECK(said("\xc3\xa4") == "\"\xc3\xa4\"}");
  CHECK(said("\xc3") == "\"?\"}");
}

TEST_CASE("formats have names") {
  CHECK(log::parse_format("json", log::format::text) == log::format::json);
  CHECK(log::parse_format("text", log::format::json) == log::format::text);
  CHECK(log::parse_format("xml", log::format::json) == log::format::json);
}

} // namespace log_format_test
