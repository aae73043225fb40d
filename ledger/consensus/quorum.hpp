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

/// The proposer of a round: the ring of validators is counted `round_num` further from the first validator
/// whose address is greater than that of the parent block's proposer (from the smallest, if none is). So
/// round 0 belongs to that proposer's successor, even if the proposer has left the set. After the genesis
/// block, whose proposer is zero, it belongs to the first validator. `validators` are sorted and not empty.
const address& proposer_of(std::span<const address> validators, const address& parent_proposer,
                           std::uint64_t round_num);

/// Whether `who` is one of the sorted `validators`.
bool is_validator(std::span<const address> validators, const address& who);

} // namespace swarm::consensus
