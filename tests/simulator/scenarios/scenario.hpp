#pragma once

#include "tests/simulator/simulation.hpp"

#include <span>
#include <string_view>

namespace swarm::simulator {

class stage;

/// One known way in which ledgers of this kind have failed, or may, played in a simulated network.
struct scenario {
  std::string_view name;
  std::string_view source; ///< where the failure is known from
  std::string_view checks; ///< what must hold here, besides all invariants and that all work is done
  simulation_plan plan;    ///< liars do nothing but what the script says
  void (*play)(stage&);
  std::size_t variants = 1;       ///< the script is played that many times, see stage::variant
  std::uint64_t snapshot_gap = 0; ///< if there is one, the nodes have real chains

  // A mistake that shows that the scenario can fail.
  std::string_view mistake;                     ///< the planted mistake; empty when there is none
  std::string_view fails_with;                  ///< the beginning of what is then reported
  void (*plant)(simulation_options&) = nullptr; ///< plants it; null when the script does, see stage::mistaken
};

/// All scenarios, in the order of scenarios/README.md.
std::span<const scenario> scenarios();
const scenario* find_scenario(std::string_view name);

/// Plays every variant, up to the first that fails; counts are sums.
simulation_outcome play(const scenario& which, std::uint64_t seed, bool with_mistake,
                        std::size_t trace_lines = 300);

/// A plan with `count` validators, of which `liars` are not run.
simulation_plan plan_of(std::size_t count, std::vector<std::size_t> liars = {}, std::size_t observers = 0);

// The scenarios by subject; scenarios() returns all of them.
std::span<const scenario> lock_scenarios();
std::span<const scenario> restart_scenarios();
std::span<const scenario> reentry_scenarios();
std::span<const scenario> liar_scenarios();
std::span<const scenario> seal_scenarios();
std::span<const scenario> network_scenarios();
std::span<const scenario> snapshot_scenarios();
std::span<const scenario> rule_scenarios();

} // namespace swarm::simulator
