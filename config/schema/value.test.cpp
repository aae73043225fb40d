#include "config/schema/value.hpp"

#include <doctest/doctest.h>

#include <string>

namespace value_test {

using namespace swarm::schema;

namespace {

/// Type and text, as "integer 31".
std::string meaning(std::string_view text) {
  const auto read = plain_scalar(text);
  constexpr std::string_view names[]{"null", "boolean", "integer", "number", "text"};
  return std::string(names[static_cast<int>(read.type)]) + " " + read.text;
}

} // namespace

TEST_CASE("plain scalars mean what Python reads in them") {
  // Checked against yaml.safe_load and str of PyYAML 6.
  CHECK(meaning("") == "null ");
  CHECK(meaning("~") == "null ");
  CHECK(meaning("Null") == "null ");
  CHECK(meaning("true") == "boolean True");
  CHECK(meaning("False") == "boolean False");
  CHECK(meaning("YES") == "boolean True");
  CHECK(meaning("off") == "boolean False");
  CHECK(meaning("y") == "text y");
  CHECK(meaning("25") == "integer 25");
  CHECK(meaning("-0") == "integer 0");
  CHECK(meaning("+7") == "integer 7");
  CHECK(meaning("1_000") == "integer 1000");
  CHECK(meaning("0755") == "integer 493");
  CHECK(meaning("089") == "text 089");
  CHECK(meaning("0x1F") == "integer 31");
  CHECK(meaning("0b101") == "integer 5");
  CHECK(meaning("-0x10") == "integer -16");
  CHECK(meaning("0x") == "text 0x");
  CHECK(meaning("1:30") == "integer 90");
  CHECK(meaning("1:00:00") == "integer 3600");
  CHECK(meaning("80:90") == "text 80:90");
  CHECK(meaning("0:30") == "text 0:30");
  CHECK(meaning("18446744073709551615") == "integer 18446744073709551615");
  CHECK(meaning("18446744073709551616") == "text 18446744073709551616");
  CHECK(meaning("0.10") == "number 0.1");
  CHECK(meaning("1.") == "number 1.0");
  CHECK(meaning(".5") == "number 0.5");
  CHECK(meaning("-.5") == "text -.5");
  CHECK(meaning("1e5") == "text 1e5");
  CHECK(meaning("1.0e5") == "text 1.0e5");
  CHECK(meaning("1.0e+5") == "number 100000.0");
  CHECK(meaning("1.0e+16") == "number 1e+16");
  CHECK(meaning("1.5e-7") == "number 1.5e-07");
  CHECK(meaning("1.0e+999") == "text 1.0e+999");
  CHECK(meaning("-.inf") == "number -inf");
  CHECK(meaning(".NaN") == "number nan");
  CHECK(meaning("2.7.0") == "text 2.7.0");
  CHECK(meaning("192.168.7.1") == "text 192.168.7.1");
  CHECK(meaning("-") == "text -");
  CHECK(meaning("+") == "text +");
  CHECK(meaning(".") == "text .");
}

TEST_CASE("values are equal as JSON has it") {
  CHECK(equal(plain_scalar("1"), plain_scalar("1.0")));
  CHECK(!equal(plain_scalar("1"), plain_scalar("true")));
  CHECK(!equal(plain_scalar("1"), make_text("1")));
  CHECK(!equal(plain_scalar("9007199254740993"), plain_scalar("9007199254740992"))); // one double for both
  CHECK(equal(make_mapping({{"a", 1, make_text("x")}, {"b", 2, {}}}),
              make_mapping({{"b", 7, {}}, {"a", 9, make_text("x")}})));
  CHECK(!equal(make_mapping({{"a", 1, {}}}), make_mapping({{"b", 1, {}}})));
}

} // namespace value_test
