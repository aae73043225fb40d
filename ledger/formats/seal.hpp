#pragma once

#include "ledger/formats/keys.hpp"
#include "ledger/formats/rlp.hpp"

#include <functional>
#include <span>
#include <vector>

namespace swarm::ledger {

/// Why the seals of a block are refused.
enum class seal_errc {
  too_many = 1,     ///< over `seals_max`
  round_too_large,  ///< over `round_num_max`
  not_a_validator,  ///< sealed by an account outside the set
  duplicate_author, ///< two seals of one validator, even with different signatures
  below_quorum,     ///< fewer authors than the quorum
  malformed,        ///< a record of another format version
};

constexpr std::string_view error_category(seal_errc) {
  return "seal";
}

/// The most validators that a chain can have.
inline constexpr std::size_t seals_max = 256;
/// The highest round that is believed. Honest validators come nowhere near it; it bounds what an attacker can
/// do to timers and memory.
inline constexpr std::uint64_t round_num_max = 1'000'000;

/// How many of `validators` have to seal a block: two thirds, rounded up (QBFT). Any two quorums share an
/// honest validator as long as fewer than a third lie.
constexpr std::size_t seal_quorum(std::size_t validators) {
  return (2 * validators + 2) / 3;
}

/// One validator's signature that a block is final.
struct commit_seal {
  signature65 signature;
  bool operator==(const commit_seal&) const = default;
};

/// What stands beside a block: the round in which it was decided and the seals of a quorum. It is not part of
/// the block hash, so different rounds or seal sets name the same block.
struct seal_record {
  std::uint64_t round_num = 0;
  std::vector<commit_seal> seals;
  bool operator==(const seal_record&) const = default;
};

/// What a validator signs: keccak(rlp["swarm commit seal", chain id, genesis hash, block hash, round]). The
/// tag keeps it apart from every other kind of signature by the same key; chain id and genesis hash keep it
/// apart from seals of the same key on another chain.
hash32 seal_digest(std::uint64_t chain_id, const hash32& genesis_hash, const hash32& block_hash,
                   std::uint64_t round_num);

/// rlp[version, round, [seal65 ...]].
bytes encode_seals(const seal_record& record);
result<seal_record> decode_seals(bytes_view raw);
/// The record as an item of something larger.
result<seal_record> decode_seals(const rlp_item& item);
/// keccak of the encoding: what the extra data of the next block is.
hash32 hash_of_seals(const seal_record& record);

/// Finds the author of a signature: `recover`, or what a simulation uses instead.
using author_recovery = std::function<result<address>(const hash32& digest, const signature65& signature)>;

/// Checks that `record` carries seals over `digest` of at least `quorum` distinct members of `validators` and
/// none of anybody else, and returns their authors in the order of the seals.
result<std::vector<address>> check_seals(const seal_record& record, const hash32& digest,
                                         std::span<const address> validators, std::size_t quorum,
                                         const author_recovery& recover_author = recover);

} // namespace swarm::ledger
