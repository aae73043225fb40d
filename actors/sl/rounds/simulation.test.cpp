#include "actors/sl/rounds/testing/simulation.hpp"

#include "contracts/training/dealing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <tuple>

namespace rounds_simulation_test {

using namespace swarm;
using namespace swarm::rounds::testing;

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

struct tally {
  std::uint64_t merges = 0;
  std::uint64_t resets = 0;
  std::uint64_t refusals_told = 0;
  std::uint64_t withheld = 0;
  std::uint64_t lies = 0;
  std::uint64_t stopped = 0;
  std::uint64_t ahead = 0;
  std::uint64_t taken_back = 0;
  std::uint64_t measured = 0;
};

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

void run(std::uint64_t seed, const scenario& what, bool whole_trace, tally& sum) {
  simulation sim(seed, what);
  const auto broken = sim.run();
  sum.merges += sim.merges();
  sum.resets += sim.operator_resets();
  sum.refusals_told += sim.refusals_told();
  sum.withheld += sim.withheld();
  sum.lies += sim.lies();
  sum.stopped += sim.stopped();
  sum.ahead += sim.given_ahead();
  sum.taken_back += sim.taken_back();
  sum.measured += sim.measured();
  if (broken.empty()) return;
  FAIL_CHECK("seed " << seed << ": " << broken << "\n"
                     << readable(sim.trace(), whole_trace) << "again: SWARM_SIM_SEED=" << seed
                     << " test_rounds -tc='*simulated*'");
}

} // namespace

TEST_CASE("simulated swarms: everybody is served, whatever happens") {
  const auto only = from_environment("SWARM_SIM_SEED", 0);
  const auto first = only != 0 ? only : from_environment("SWARM_SIM_FIRST", 1);
  const auto count = only != 0 ? 1 : from_environment("SWARM_SIM_COUNT", 72);
  tally sum;
  for (auto seed = first; seed < first + count; ++seed) {
    seeded_random random(seed);
    const auto what = scenario::draw(random);
    run(seed, what, only != 0, sum);
  }
  MESSAGE(count << " seeds, " << sum.merges << " merges, " << sum.resets << " hopeless rounds, "
                << sum.refusals_told << " refusals told, " << sum.withheld << " models withheld, " << sum.lies
                << " wrong merges, " << sum.stopped << " rounds stopped, " << sum.ahead
                << " merges given before they were accepted, " << sum.taken_back << " taken back, "
                << sum.measured << " runs measured");
  CHECK(sum.merges > 0);
  if (count >= 60) CHECK(sum.refusals_told > 0);
  if (count >= 60) CHECK(sum.withheld > 0);
  if (count >= 60) CHECK(sum.lies > 0);
  if (count >= 60) CHECK(sum.ahead > 0);
  if (count >= 60) CHECK(sum.measured > 0);
}

/// SWARM_SIM_NODES says how many, up to 1,000. Most of them may die, and a quarter lie when they lead.
TEST_CASE("a simulated swarm may be large") {
  scenario what;
  what.nodes = static_cast<std::uint32_t>(from_environment("SWARM_SIM_NODES", 200));
  what.reliable = what.min_peers = std::max(4u, what.nodes / 8);
  what.organisations = 4;
  what.quiet_at = std::chrono::seconds(std::max(150u, what.nodes * 35 / 100)); // most of three rounds
  what.block_interval = std::chrono::milliseconds(100);
  what.delay_max = std::chrono::milliseconds(800);
  what.slow_message = 10;
  what.lost_event = 100;
  what.lost_call = 10;
  what.failed_fetch = 50;
  what.withholds = 600;
  what.lies = 1000;
  what.accidents = what.nodes / 10;
  what.syncs_max = 2;
  const bool in_shards = from_environment("SWARM_SIM_SHARDS", 0) != 0;
  if (in_shards) what.model_size = chunks_per_model * contracts::model_chunk_bytes;
  tally sum;
  const auto seed = from_environment("SWARM_SIM_SEED", 3);
  run(seed, what, false, sum);
  MESSAGE(what.nodes << " nodes, " << sum.merges << " merges, " << sum.lies << " wrong ones");
  CHECK(sum.merges >= 3);
  if (seed == 3 && what.nodes == 200) CHECK(sum.lies > 0); // whose turn it is to lead is drawn
}

TEST_CASE("simulated mistakes are found") {
  constexpr std::uint64_t seeds_max = 100;
  for (auto planted = mistake::attests_unseen; planted <= last_mistake;
       planted = static_cast<mistake>(static_cast<int>(planted) + 1)) {
    std::string found;
    std::uint64_t seed = 0;
    while (found.empty() && ++seed <= seeds_max) {
      seeded_random random(seed);
      auto what = scenario::draw(random);
      what.planted = planted;
      if (planted == mistake::attests_unseen)
        std::tie(what.nodes, what.reliable, what.lies) = std::tuple(5, 3, 1000);
      if (planted == mistake::keeps_what_is_false)
        std::tie(what.nodes, what.reliable, what.min_peers, what.lies, what.behind) =
            std::tuple(6, 3, 3, 700, true);
      if (planted == mistake::measures_unseen)
        std::tie(what.nodes, what.reliable, what.min_peers, what.lies, what.measured, what.model_size) =
            std::tuple(6, 3, 3, 700, true, chunks_per_model * contracts::model_chunk_bytes);
      if (planted == mistake::suspects_nobody)
        std::tie(what.stuck_merge, what.stuck_ends, what.lies) = std::tuple(900, false, 0);
      if (planted == mistake::accuses_nobody) {
        std::tie(what.nodes, what.reliable, what.min_peers, what.lies) = std::tuple(8, 2, 1, 0);
        std::tie(what.accidents, what.deadly) = std::tuple(12, true);
      }
      if (planted == mistake::cuts_off_slow) {
        what = {.nodes = 5,
                .reliable = 5,
                .min_peers = 2,
                .quiet_at = what.quiet_at,
                .delay_max = what.delay_max};
        std::tie(what.planted, what.one_slow, what.grace) =
            std::tuple(planted, true, std::chrono::seconds(1));
      }
      found = simulation(seed, what).run();
    }
    CHECK_MESSAGE(!found.empty(), to_string(planted), " is not found with ", seeds_max, " seeds");
    MESSAGE(to_string(planted) << ": seed " << seed << ": " << found);
  }
}

} // namespace rounds_simulation_test
