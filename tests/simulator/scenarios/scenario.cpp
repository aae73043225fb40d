#include "tests/simulator/scenarios/scenario.hpp"

#include "tests/simulator/scenarios/stage.hpp"

namespace swarm::simulator {

namespace {

void add(simulation_outcome& to, simulation_outcome&& from) {
  to.failure = std::move(from.failure);
  to.trace = std::move(from.trace);
  to.blocks += from.blocks;
  to.later_rounds += from.later_rounds;
  to.messages += from.messages;
  to.crashes += from.crashes;
  to.restores += from.restores;
  to.evidence += from.evidence;
  to.blamed += from.blamed;
  to.events += from.events;
}

} // namespace

std::span<const scenario> scenarios() {
  static const auto all = [] {
    std::vector<scenario> out;
    for (const auto some : {lock_scenarios(), restart_scenarios(), reentry_scenarios(), liar_scenarios(),
                            seal_scenarios(), network_scenarios(), snapshot_scenarios(), rule_scenarios()})
      out.insert(out.end(), some.begin(), some.end());
    return out;
  }();
  return all;
}

const scenario* find_scenario(std::string_view name) {
  for (const auto& one : scenarios())
    if (one.name == name) return &one;
  return nullptr;
}

simulation_plan plan_of(std::size_t count, std::vector<std::size_t> liars, std::size_t observers) {
  simulation_plan out;
  out.validators = count;
  out.observers = observers;
  out.liars = std::move(liars);
  return out;
}

simulation_outcome play(const scenario& which, std::uint64_t seed, bool with_mistake,
                        std::size_t trace_lines) {
  simulation_outcome out;
  for (std::size_t variant = 0; variant < which.variants && out.ok(); ++variant) {
    stage on(which, seed, with_mistake, variant, trace_lines);
    try {
      which.play(on);
    } catch (const stage::scene_over&) {
    }
    add(out, on.finish());
    if (!out.ok() && which.variants > 1) out.failure += fmt::format(" (variant {})", variant);
  }
  return out;
}

} // namespace swarm::simulator
