#include "actors/metrics/registry.hpp"

#include <doctest/doctest.h>

namespace metric_registry_test {

using namespace swarm::metrics;

namespace {
constexpr series things{"swarmd_things_total", "things"};
constexpr series level{"swarmd_level", "how high"};
constexpr timed_series took{{"swarmd_took_seconds", "how long"}, {0.1, 1.0}};

bool has(const registry& of, std::string_view line) {
  return ("\n" + of.text()).find("\n" + std::string(line) + "\n") != std::string::npos;
}
} // namespace

TEST_CASE("what was counted and measured is told as text") {
  registry r;
  const auto counted = r.counter_of(things, {{"kind", "a\"b\n"}});
  counted.add();
  counted.add(2);
  counted.grow_to(2); // it was more already
  r.gauge_of(level, {}).set(1.5);
  r.histogram_of(took, {}).observe(std::chrono::milliseconds(500));
  CHECK(has(r, "# HELP swarmd_things_total things"));
  CHECK(has(r, "# TYPE swarmd_things_total counter"));
  CHECK(has(r, R"(swarmd_things_total{kind="a\"b\n"} 3)"));
  CHECK(has(r, "swarmd_level 1.5"));
  CHECK(has(r, R"(swarmd_took_seconds_bucket{le="0.1"} 0)"));
  CHECK(has(r, R"(swarmd_took_seconds_bucket{le="1"} 1)"));
  CHECK(has(r, R"(swarmd_took_seconds_bucket{le="+Inf"} 1)"));
  CHECK(has(r, "swarmd_took_seconds_sum 0.5"));
  counted.grow_to(10);
  CHECK(has(r, R"(swarmd_things_total{kind="a\"b\n"} 10)"));
}

TEST_CASE("who asks for the same labels gets the same value") {
  registry r;
  r.counter_of(things, {{"kind", "a"}}).add();
  r.counter_of(things, {{"kind", "a"}}).add();
  r.counter_of(things, {{"kind", "b"}}).add();
  CHECK(has(r, R"(swarmd_things_total{kind="a"} 2)"));
  CHECK(has(r, R"(swarmd_things_total{kind="b"} 1)"));
}

TEST_CASE("the values of what is over go away, and nobody else's") {
  registry r;
  for (const auto* node : {"n1", "n2"})
    for (const auto* contract : {"c1", "c2"})
      r.gauge_of(level, {{"node", node}, {"contract", contract}}).set(1);
  r.counter_of(things, {{"node", "n1"}}).add();
  r.remove({{"node", "n1"}, {"contract", "c1"}});
  CHECK_FALSE(has(r, R"(swarmd_level{contract="c1",node="n1"} 1)"));
  CHECK(has(r, R"(swarmd_level{contract="c2",node="n1"} 1)"));
  CHECK(has(r, R"(swarmd_level{contract="c1",node="n2"} 1)"));
  CHECK(has(r, R"(swarmd_things_total{node="n1"} 1)"));
  r.gauge_of(level, {{"node", "n1"}, {"contract", "c1"}}).set(2);
  CHECK(has(r, R"(swarmd_level{contract="c1",node="n1"} 2)"));
}

} // namespace metric_registry_test
