#pragma once

#include "contracts/training/dealing.hpp"
#include "contracts/training/interface.hpp"

#include <algorithm>

/// What follows from a reading of `checks()`, for whoever checks a proposal and whoever gives it what that takes.
namespace swarm::contracts {

/// Of a proposal of `size` bytes.
inline deal deal_of(const checks_view& checks, std::uint64_t size) {
  std::vector<organisation_id> organisations;
  for (const auto& seat : checks.seats)
    organisations.push_back(seat.organisation);
  return {organisations, checks.chunks, size > 0 && is_checked_whole(size, organisations.size())};
}

/// The chunks that `who` makes again, ascending; none before all is dealt out, and for who has no seat.
inline std::vector<std::uint64_t> chunks_dealt_to(const checks_view& checks, std::uint64_t size,
                                                  const address& who) {
  const auto seat = std::ranges::find(checks.seats, who, &seat_view::peer);
  if (checks.attempt == 0 || seat == checks.seats.end()) return {};
  return deal_of(checks, size).chunks_of(static_cast<std::size_t>(seat - checks.seats.begin()));
}

} // namespace swarm::contracts
