#include "actors/ui/history/proved_reports.hpp"

#include "contracts/training/client.hpp"

#include <algorithm>
#include <cmath>

namespace swarm::ui {

namespace {

bool is_same(float a, float b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

} // namespace

void proved_reports::note(const std::string& contract, std::uint64_t generation,
                          const std::vector<contracts::peer_view>& peers) {
  const std::lock_guard lock(mutex_);
  auto& to = runs_[{contract, generation}];
  for (const auto& each : peers) {
    if (each.loss_round == 0) continue;
    const values now{static_cast<float>(contracts::from_micro(each.loss_micro)),
                     static_cast<float>(contracts::from_micro(each.metric_micro))};
    const auto is_new = to.known[each.loss_round].insert_or_assign(each.account, now).second;
    to.reports += is_new ? 1 : 0;
    reports_ += is_new ? 1 : 0;
  }
  if (reports_ > reports_max) make_room();
}

void proved_reports::make_room() {
  while (reports_ > reports_max) {
    const auto largest =
        std::ranges::max_element(runs_, {}, [](const auto& each) { return each.second.reports; });
    auto& from = largest->second;
    const auto oldest = from.known.begin();
    from.reports -= oldest->second.size();
    reports_ -= oldest->second.size();
    from.known.erase(oldest);
    if (from.known.empty()) runs_.erase(largest);
  }
}

bool proved_reports::agrees(const std::string& contract, std::uint64_t generation, std::uint64_t round_num,
                            const std::vector<report>& told) const {
  const std::lock_guard lock(mutex_);
  const auto of = runs_.find({contract, generation});
  if (of == runs_.end()) return false;
  const auto known = of->second.known.find(round_num);
  if (known == of->second.known.end()) return false;
  std::map<address, bool> matches;
  for (const auto& each : told) {
    const auto found = known->second.find(each.peer);
    matches[each.peer] = found != known->second.end() && is_same(found->second.loss, each.loss)
                         && is_same(found->second.metric, each.metric);
  }
  return matches.size() == known->second.size()
         && std::ranges::all_of(matches, [](const auto& each) { return each.second; });
}

void proved_reports::forget() {
  const std::lock_guard lock(mutex_);
  runs_.clear();
  reports_ = 0;
}

std::size_t proved_reports::size() const {
  const std::lock_guard lock(mutex_);
  return reports_;
}

} // namespace swarm::ui
