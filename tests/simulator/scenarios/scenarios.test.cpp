#include "tests/simulator/scenarios/scenario.hpp"

#include <doctest/doctest.h>

#include <set>

namespace scenarios_test {

using namespace swarm::simulator;

TEST_CASE("every known failure, played in a network, is harmless") {
  for (const auto& one : scenarios())
    SUBCASE(std::string(one.name).c_str()) {
      const std::uint64_t seeds = one.variants > 1 ? 1 : 5;
      for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        CAPTURE(seed);
        const auto out = play(one, seed, false);
        CHECK_MESSAGE(out.ok(), out.trace, out.failure);
        CHECK(out.events > 0);
      }
    }
}

TEST_CASE("the same scripts find the mistakes that led to the failures") {
  for (const auto& one : scenarios()) {
    if (one.mistake.empty()) continue;
    SUBCASE(std::string(one.name).c_str()) {
      for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        CAPTURE(seed);
        const auto out = play(one, seed, true);
        CHECK_MESSAGE(out.failure.starts_with(one.fails_with), out.trace, one.mistake, ": ", out.failure);
      }
    }
  }
}

TEST_CASE("scenarios have names of their own and say what they check") {
  std::set<std::string_view> names;
  for (const auto& one : scenarios()) {
    CHECK(names.insert(one.name).second);
    CHECK(find_scenario(one.name) == &one);
    CHECK(!one.checks.empty());
    CHECK(!one.source.empty());
    CHECK(one.mistake.empty() == one.fails_with.empty());
  }
  CHECK(find_scenario("no such thing") == nullptr);
}

} // namespace scenarios_test
