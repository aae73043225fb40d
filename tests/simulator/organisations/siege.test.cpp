#include "tests/simulator/organisations/siege.hpp"

#include <doctest/doctest.h>

using namespace swarm::simulator;

TEST_CASE("one organisation of four lies with 20 SNs and 1,000 keys, and gains nothing by it") {
  siege_options options;
  SUBCASE("the others have one SN each") {}
  SUBCASE("the others have two SNs each") {
    options.honest_sns = 2;
  }
  const auto out = compare_siege(options);
  CHECK_MESSAGE(out.ok(), out.course.trace, out.course.failure);
  CHECK(out.keys == 1000);
}

TEST_CASE("every mistake in a rule on organisations is found") {
  for (const auto& each : faulty_rules())
    SUBCASE(std::string(each.name).c_str()) {
      siege_options options;
      options.planted = each.rule;
      const auto out = run_siege(options);
      CHECK_MESSAGE(out.course.failure.starts_with(each.fails_with), out.course.trace, each.name, ": ",
                    out.course.failure);
    }
}
