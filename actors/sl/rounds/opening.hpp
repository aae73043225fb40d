#pragma once

#include "contracts/training/client.hpp"

/// What a node commits to with a check-in.
namespace swarm::rounds {

/// Follows from `secret`, which only this node has, and from what it is for, so that a node that was started again can
/// reveal what the one before it committed to, and nothing is revealed of other rounds.
contracts::opening opening_of(const hash32& secret, std::string_view contract, std::uint64_t generation,
                              std::uint64_t round_num, const hash32& digest);

} // namespace swarm::rounds
