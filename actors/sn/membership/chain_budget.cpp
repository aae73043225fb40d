#include "actors/sn/membership/chain_budget.hpp"

namespace swarm::membership {

namespace {
constexpr std::uint64_t hour_seconds = 3600;
} // namespace

void chain_budget::count(contracts::organisation_id by, std::size_t bytes, std::uint64_t now) {
  const auto number = now / hour_seconds;
  auto& place = days_[by][number % 24];
  if (place.number != number) place = {number, 0};
  place.bytes += bytes;
}

std::uint64_t chain_budget::used(contracts::organisation_id by, std::uint64_t now) const {
  const auto found = days_.find(by);
  if (found == days_.end()) return 0;
  std::uint64_t out = 0;
  for (const auto& one : found->second)
    if (one.number + 24 > now / hour_seconds) out += one.bytes;
  return out;
}

} // namespace swarm::membership
