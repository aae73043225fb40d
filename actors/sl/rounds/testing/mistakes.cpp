#include "actors/sl/rounds/testing/simulation_parts.hpp"

#include <array>

// Mistakes that are planted to see that they are found.
namespace swarm::rounds::testing {

std::string_view to_string(mistake what) {
  constexpr std::array names{"none",
                             "attests unseen",
                             "forgets to sync",
                             "loads another",
                             "keeps nothing",
                             "accuses nobody",
                             "suspects nobody",
                             "reveals nothing",
                             "counts twice",
                             "merges twice",
                             "takes late ones",
                             "closes below",
                             "ends without model",
                             "keeps what is false"};
  return names.at(static_cast<std::size_t>(what));
}

/// Whether a mistake keeps calls of this kind from the chain, for good.
bool simulation::never_arrives(const node& n, const std::string& what) const {
  return (has(mistake::accuses_nobody) && what.starts_with("accuse "))
         || (has(mistake::suspects_nobody) && what.starts_with("suspect "))
         || (has(mistake::reveals_nothing) && n.number == 0 && what.starts_with("reveal the model"));
}

/// What is wrong with an event, as a contract with the mistake would have it.
std::string simulation::check_event(contracts::training_event event) {
  if (auto* merge = std::get_if<contracts::merge_committed>(&event);
      merge != nullptr && has(mistake::counts_twice))
    merge->contributors.back() = merge->contributors.front();
  auto wrong = checker_.take(event, models_);
  if (!wrong.empty()) return wrong;
  if (const auto* shown = std::get_if<contracts::revealed>(&event)) return wrong_base(*shown);
  const auto* closed = std::get_if<contracts::round_closed>(&event);
  if (closed != nullptr && has(mistake::takes_late_ones))
    return checker_.take(contracts::checked_in{.peer = closed->leader,
                                               .round_num = closed->round_num,
                                               .generation = closed->generation},
                         models_);
  const bool again = has(mistake::merges_twice) && std::holds_alternative<contracts::merge_accepted>(event);
  return again ? checker_.take(event, models_) : wrong;
}

} // namespace swarm::rounds::testing
