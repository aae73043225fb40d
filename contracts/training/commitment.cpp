#include "contracts/training/commitment.hpp"

#include "base/hash.hpp"

#include <array>

namespace swarm::contracts {

hash32 commitment_of(const address& peer, std::uint64_t generation, std::uint64_t round_num,
                     const opening& what) {
  // As abi.encode(address, uint64, uint64, bytes32, bytes32, bytes32) has it.
  std::array<hash32, 6> words{};
  std::copy(peer.begin(), peer.end(), words[0].begin() + 12);
  words[1] = u256(generation);
  words[2] = u256(round_num);
  words[3] = what.digest;
  words[4] = what.salt;
  words[5] = what.seed_hash;
  bytes all;
  for (const auto& word : words)
    all.insert(all.end(), word.begin(), word.end());
  return keccak256(all);
}

hash32 seed_link(const hash32& seed, std::uint32_t hashes) {
  auto out = seed;
  for (std::uint32_t i = 0; i < hashes; ++i)
    out = keccak256(out.view());
  return out;
}

} // namespace swarm::contracts
