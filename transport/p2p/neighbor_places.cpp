#include "transport/p2p/neighbor_places.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

namespace swarm::p2p {

namespace {

std::size_t count_of(std::span<const place> taken, const std::function<bool(const place&)>& which) {
  return static_cast<std::size_t>(std::count_if(taken.begin(), taken.end(), which));
}

/// The newest of those that `which` is true for; null when there is none.
const place* newest(std::span<const place> taken, const std::function<bool(const place&)>& which) {
  const place* out = nullptr;
  for (const auto& each : taken)
    if (which(each) && (out == nullptr || each.id > out->id)) out = &each;
  return out;
}

/// The newest of this rank of the organisation that has most of them, and how many it has.
std::pair<const place*, std::size_t> most_crowded(std::span<const place> taken, standing rank) {
  std::map<hash32, std::size_t> sizes;
  for (const auto& each : taken)
    if (each.rank == rank) ++sizes[each.organisation];
  const auto largest = std::max_element(sizes.begin(), sizes.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
  if (largest == sizes.end()) return {};
  return {newest(taken,
                 [&](const place& each) { return each.rank == rank && each.organisation == largest->first; }),
          largest->second};
}

/// A place of the fresh one's rank, if its organisation has fewer of them than another one.
std::optional<std::uint64_t> fair_turn(std::span<const place> taken, const place& fresh) {
  const auto [yields, size] = most_crowded(taken, fresh.rank);
  const auto own = count_of(taken, [&](const place& each) {
    return each.rank == fresh.rank && each.organisation == fresh.organisation;
  });
  if (yields != nullptr && own + 1 < size) return yields->id;
  return std::nullopt;
}

place_found refused(std::string why, bool over_share) {
  return {.displaced = std::nullopt, .why_not = std::move(why), .over_share = over_share};
}

/// One of a lower rank than the fresh one, or of the same where that is fair.
place_found displace(std::span<const place> taken, const place& fresh, std::string why_not) {
  for (const auto lower : {standing::newcomer, standing::registered}) {
    if (lower >= fresh.rank) break;
    if (const auto [yields, size] = most_crowded(taken, lower); yields != nullptr)
      return {yields->id, {}, false};
  }
  if (fresh.rank != standing::validator)
    if (const auto yields = fair_turn(taken, fresh)) return {yields, {}, false};
  return refused(std::move(why_not), false);
}

} // namespace

place_found find_place(std::span<const place> taken, const place& fresh, const place_limits& limits) {
  const auto full = fmt::format("there are {} neighbors already", taken.size());
  if (fresh.rank != standing::validator) {
    const auto beside = [&](const place& each) {
      return each.organisation == fresh.organisation && each.rank != standing::validator;
    };
    if (count_of(taken, beside) >= limits.organisation) {
      const auto* yields =
          newest(taken, [&](const place& each) { return beside(each) && each.rank < fresh.rank; });
      if (yields != nullptr) return {yields->id, {}, false};
      return refused(
          fmt::format("its organisation has its {} places beside those of validators", limits.organisation),
          true);
    }
  }
  if (taken.size() >= limits.all) return displace(taken, fresh, full);
  const auto is_newcomer = [](const place& each) { return each.rank == standing::newcomer; };
  if (fresh.rank == standing::newcomer && count_of(taken, is_newcomer) >= limits.newcomers()) {
    if (const auto yields = fair_turn(taken, fresh)) return {yields, {}, false};
    return refused(fmt::format("the {} places of SNs that are not registered are taken", limits.newcomers()),
                   false);
  }
  return {};
}

} // namespace swarm::p2p
