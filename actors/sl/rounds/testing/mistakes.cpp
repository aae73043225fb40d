#include "actors/sl/rounds/testing/simulation_parts.hpp"

#include <algorithm>
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
                             "keeps what is false",
                             "cuts off slow ones",
                             "measures unseen"};
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

/// Notes how long each takes between rounds, and that nobody is cut off who keeps step, though slowly.
void simulation::watch_pace(const contracts::training_event& event) {
  if (std::holds_alternative<contracts::merge_accepted>(event)) {
    pace_.opened = now_;
    pace_.took.clear();
  } else if (std::holds_alternative<contracts::training_reset>(event)) {
    pace_ = {};
  } else if (std::holds_alternative<contracts::round_reopened>(event)) {
    pace_.took.clear(); // some check-ins stand
  } else if (const auto* in = std::get_if<contracts::checked_in>(&event);
             in != nullptr && in->weightage > 0 && in->base_round > 0 && !in->finished) {
    if (in->base_round + 1 != in->round_num) return void(pace_.before.erase(in->peer));
    pace_.took.push_back(now_ - pace_.opened);
    pace_.before[in->peer] = now_ - pace_.opened;
  } else if (const auto* out = std::get_if<contracts::peer_absent>(&event);
             out != nullptr && is_cut_off(out->peer)) {
    broken(fmt::format("{} is cut off, though it keeps step", find(out->peer)->name));
  }
}

/// Whether `who`, whom the round does not wait for any longer, has taken less than four times as long as the others, as far as
/// they were in, and took no longer than that the last time. The contract counts in whole seconds.
bool simulation::is_cut_off(const address& who) {
  const auto* n = find(who);
  const auto before = pace_.before.find(who);
  const bool trains = n->is_up() && !n->stopping && n->prog.now == program::doing::training;
  if (!trains || before == pace_.before.end() || scenario_.organisations > 0) return false;
  std::optional<duration> least;
  for (std::size_t count = 1; count <= pace_.took.size(); ++count) {
    std::vector<duration> first(pace_.took.begin(), pace_.took.begin() + static_cast<std::ptrdiff_t>(count));
    std::ranges::nth_element(first, first.begin() + static_cast<std::ptrdiff_t>(count / 2));
    least = std::min(least.value_or(first[count / 2]), first[count / 2]);
  }
  const auto most = 4 * (least.value_or(duration{}) - std::chrono::seconds(1));
  return before->second <= most && now_ - pace_.opened < most;
}

} // namespace swarm::rounds::testing
