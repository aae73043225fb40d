#include "transport/sharing/fair_places.hpp"

#include <algorithm>
#include <numeric>

namespace swarm::transport {

namespace {

std::size_t sum_of(const std::map<hash32, std::size_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0},
                         [](std::size_t sum, const auto& each) { return sum + each.second; });
}

/// The certificate that has most, and how many.
std::pair<hash32, std::size_t> largest_of(const std::map<hash32, std::size_t>& counts) {
  return *std::max_element(counts.begin(), counts.end(),
                           [](const auto& a, const auto& b) { return a.second < b.second; });
}

} // namespace

std::size_t fair_places::size_of(const hash32& organisation) const {
  const auto found = held_.find(organisation);
  return found == held_.end() ? 0 : sum_of(found->second);
}

std::optional<place_owner> fair_places::who_yields(const place_owner& to) const {
  std::size_t most = 0;
  hash32 largest;
  for (const auto& [organisation, held] : held_)
    if (const auto size = sum_of(held); size > most) {
      most = size;
      largest = organisation;
    }
  if (size_of(to.organisation) + 1 < most) return place_owner{largest, largest_of(held_.at(largest)).first};
  const auto own = held_.find(to.organisation);
  if (own == held_.end()) return std::nullopt;
  const auto [certificate, size] = largest_of(own->second);
  const auto mine = own->second.find(to.certificate);
  if ((mine == own->second.end() ? 0 : mine->second) + 1 < size)
    return place_owner{to.organisation, certificate};
  return std::nullopt;
}

fair_places::answer fair_places::take(std::uint64_t id, const place_owner& owner) {
  answer out{.taken = true};
  if (owners_.size() >= places_) {
    const auto yields = who_yields(owner);
    if (!yields) return {};
    const auto newest = std::find_if(owners_.rbegin(), owners_.rend(),
                                     [&](const auto& each) { return each.second == *yields; });
    out.displaced = newest->first;
    out.displaced_owner = *yields;
    give_back(newest->first);
  }
  owners_.emplace(id, owner);
  ++held_[owner.organisation][owner.certificate];
  return out;
}

void fair_places::give_back(std::uint64_t id) {
  const auto found = owners_.find(id);
  if (found == owners_.end()) return;
  const auto organisation = held_.find(found->second.organisation);
  const auto certificate = organisation->second.find(found->second.certificate);
  if (--certificate->second == 0) organisation->second.erase(certificate);
  if (organisation->second.empty()) held_.erase(organisation);
  owners_.erase(found);
}

} // namespace swarm::transport
