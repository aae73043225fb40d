#pragma once

#include "base/bytes.hpp"

#include <span>

namespace swarm::consensus {

/// The number of liars that `n` validators survive: floor((n - 1) / 3).
constexpr std::size_t faults_tolerated(std::size_t n) {
  return n == 0 ? 0 : (n - 1) / 3;
}

/// The number of votes that decide among `n` validators: ceil(2n / 3). Any two quorums share an honest
/// validator while at most `faults_tolerated(n)` lie. 2f + 1 would be wrong unless n = 3f + 1: at n = 6 it
/// allows two disjoint quorums.
constexpr std::size_t quorum_of(std::size_t n) {
  return (2 * n + 2) / 3;
}

/// Whether `who` is one of the sorted `validators`.
bool is_validator(std::span<const address> validators, const address& who);

} // namespace swarm::consensus
