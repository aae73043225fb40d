#include "actors/swop/task/testing/simulation.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <string>

namespace task_simulation_test {

using namespace swarm;
using namespace swarm::swop::testing;
using namespace std::chrono_literals;

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

/// The whole trace when one seed was asked for, else its end.
std::string readable(const std::vector<std::string>& trace, bool all) {
  constexpr std::size_t lines_max = 120;
  std::string out;
  const auto first = all || trace.size() <= lines_max ? 0 : trace.size() - lines_max;
  if (first > 0) out = trace.front() + fmt::format("\n... {} lines\n", first - 1);
  for (auto i = first; i < trace.size(); ++i)
    out += trace[i] + "\n";
  return out;
}

std::string text_of(const figures& seen) {
  return fmt::format(
      "{} parts, {} adopted, {} calls of SWOPs, of them {} reports, {} refused; {} pairs complete; runs: "
      "{} complete, {} failed, {} stuck; after a reset all had ended within {} ms",
      seen.parts, seen.adopted, seen.calls, seen.reports, seen.refused, seen.pairs_complete,
      seen.runs_complete, seen.runs_failed, seen.stuck, seen.longest_cleaning / 1ms);
}

} // namespace

TEST_CASE("simulated taskrunners: every run ends or says what it waits for, whatever happens") {
  const auto only = from_environment("SWARM_SIM_SEED", 0);
  const auto first = only != 0 ? only : from_environment("SWARM_SIM_FIRST", 1);
  const auto count = only != 0 ? 1 : from_environment("SWARM_SIM_COUNT", 60);
  figures sum;
  for (auto seed = first; seed < first + count; ++seed) {
    seeded_random random(seed);
    const auto what = scenario::draw(random);
    simulation sim(seed, what);
    const auto broken = sim.run();
    sum += sim.seen();
    if (broken.empty()) continue;
    FAIL_CHECK("seed " << seed << ": " << broken << "\n"
                       << readable(sim.trace(), only != 0) << "again: SWARM_SIM_SEED=" << seed
                       << " test_swop_task -tc='*simulated*'");
  }
  MESSAGE(count << " seeds: " << text_of(sum));
  if (count < 60) return;
  CHECK(sum.adopted > 0);
  CHECK(sum.stuck > 0);
  CHECK(sum.runs_complete > count);
  CHECK(sum.runs_failed > 0);
}

TEST_CASE("a hundred SWOPs with four nodes each: all start and end") {
  scenario what;
  what.slots.assign(100, 4);
  what.quiet_at = 10s;
  what.delay_max = 50ms;
  simulation sim(1, what);
  CHECK(sim.run() == "");
  const auto& seen = sim.seen();
  CHECK(seen.parts == 100);
  CHECK(seen.pairs_complete == 400);
  CHECK(seen.runs_complete == 1);
  CHECK(seen.refused == 0);
  MESSAGE("400 pairs, from ASSIGN to the end " << seen.last_run / 1ms << " ms: " << text_of(seen));
}

} // namespace task_simulation_test
