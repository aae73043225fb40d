#pragma once

#include "base/bytes.hpp"

#include <span>

namespace swarm::consensus {

/// Liars that `n` validators survive: floor((n - 1) / 3).
constexpr std::size_t faults_tolerated(std::size_t n) {
  return n == 0 ? 0 : (n - 1) / 3;
}

/// Votes that decide among `n` validators: ceil(2n / 3). Any two quorums share an honest validator
/// while at most `faults_tolerated(n)` lie. 2f + 1 would be wrong unless n = 3f + 1: at n = 6 it allows
/// two disjoint quorums.
constexpr std::size_t quorum_of(std::size_t n) {
  return (2 * n + 2) / 3;
}

/// The one proposer rule: count `round_num` further, around the ring of validators, from the first
/// validator whose address is greater than that of the parent block's proposer (from the smallest, if none
/// is). For a proposer that is still in the set this is its successor; for one that has left, the successor
/// of its place; for the genesis block, whose proposer is zero, the first of all. `validators` are sorted
/// and not empty.
const address& proposer_of(std::span<const address> validators, const address& parent_proposer,
                           std::uint64_t round_num);

/// Whether `who` is one of the sorted `validators`.
bool is_validator(std::span<const address> validators, const address& who);

} // namespace swarm::consensus
