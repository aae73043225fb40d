#pragma once

#include "base/bytes.hpp"

#include <span>

namespace swarm::ledger {

/// Whose turn it is to propose a block. The ring of validators begins with the first whose address is greater than that
/// of the parent block's proposer (with the smallest, if none is), so round 0 belongs to that proposer's successor, even
/// if the proposer has left the set. After the genesis block, whose proposer is zero, it belongs to the first validator.
/// Those of `resting` come last, in the same order. Rounds beyond the last validator begin anew.
/// `validators` are sorted and not empty; `resting` are some of them, sorted.
const address& proposer_of(std::span<const address> validators, std::span<const address> resting,
                           const address& parent_proposer, std::uint64_t round_num);

} // namespace swarm::ledger
