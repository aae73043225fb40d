#pragma once

#include "contracts/training/client.hpp"

#include <optional>

/// What a node commits to with a check-in.
namespace swarm::rounds {

/// Follows from `secret`, which only this node has, and from what it is for, so that a node that was started again can
/// reveal what the one before it committed to, and nothing is revealed of other rounds.
contracts::opening opening_of(const hash32& secret, std::string_view contract, std::uint64_t generation,
                              std::uint64_t round_num, const hash32& digest);

/// The seed whose hash is `seed_hash`, of those that belong to that opening; none when it is not one of theirs.
std::optional<hash32> seed_behind(const hash32& secret, std::string_view contract, std::uint64_t generation,
                                  std::uint64_t round_num, const hash32& digest, const hash32& seed_hash);

} // namespace swarm::rounds
