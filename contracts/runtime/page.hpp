#pragma once

#include "base/u256.hpp"

#include <algorithm>

namespace swarm::contracts {

/// The most entries that a view of part of a list returns: peers(), nodes(), names().
inline constexpr std::uint64_t page_entries_max = 256;

/// The part [begin, end) of `size` entries that a view of `count` entries from `first` on returns.
struct page {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

inline page page_of(const u256& first, const u256& count, std::uint64_t size, std::uint64_t entries_max) {
  if (!first.fits_u64() || first.to_u64() >= size) return {};
  const auto wanted = count.fits_u64() ? std::min(count.to_u64(), entries_max) : entries_max;
  return {first.to_u64(), first.to_u64() + std::min(wanted, size - first.to_u64())};
}

} // namespace swarm::contracts
