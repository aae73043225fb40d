#pragma once

#include "base/u256.hpp"

namespace swarm::contracts {

/// What a check-in commits to.
struct opening {
  hash32 digest; ///< of the model
  hash32 salt;   ///< without which the digest could be guessed, as that of the last merge
  hash32
      seed_hash; ///< end of a chain of seeds, `seed_link(seed, seed_links)`, that its peer reveals backwards
  bool operator==(const opening&) const = default;
};
/// The commitment to `what` of a check-in of `peer` for this round. It is nobody else's and no other round's, so that
/// there is nothing in copying it.
hash32 commitment_of(const address& peer, std::uint64_t generation, std::uint64_t round_num,
                     const opening& what);

/// keccak256 of the seed, taken `hashes` times. What opens `seed_link(s, n)` is `seed_link(s, n - 1)`.
hash32 seed_link(const hash32& seed, std::uint32_t hashes);

} // namespace swarm::contracts
