#pragma once

#include "ledger/formats/bloom.hpp"
#include "ledger/formats/rlp.hpp"

namespace swarm::ledger {

/// keccak(rlp("")): the root of a trie without entries.
inline constexpr hash32 empty_trie_root{std::array<std::uint8_t, 32>{
    0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45, 0xe6, 0x92, 0xc0, 0xf8, 0x6e,
    0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c, 0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21}};
/// keccak(rlp[]): the hash of no ommers, the only one there is on this chain.
inline constexpr hash32 empty_ommers_hash{std::array<std::uint8_t, 32>{
    0x1d, 0xcc, 0x4d, 0xe8, 0xde, 0xc7, 0x5d, 0x7a, 0xab, 0x85, 0xb5, 0x67, 0xb6, 0xcc, 0xd4, 0x1a,
    0xd3, 0x12, 0x45, 0x1b, 0x94, 0x8a, 0x74, 0x13, 0xf0, 0xa1, 0x42, 0xfd, 0x40, 0xd4, 0x93, 0x47}};
/// The mix hash by which tools know a QBFT chain: "ctical byzantine fault tolerance" in ASCII.
inline constexpr hash32 qbft_mix_hash{std::array<std::uint8_t, 32>{
    0x63, 0x74, 0x69, 0x63, 0x61, 0x6c, 0x20, 0x62, 0x79, 0x7a, 0x61, 0x6e, 0x74, 0x69, 0x6e, 0x65,
    0x20, 0x66, 0x61, 0x75, 0x6c, 0x74, 0x20, 0x74, 0x6f, 0x6c, 0x65, 0x72, 0x61, 0x6e, 0x63, 0x65}};

/// The most bytes of extra data that a decoder reads; this chain's own rule is tighter (header_rules).
inline constexpr std::size_t extra_data_read_max = 16 * 1024;

/// A London header: 16 fields in this order (Yellow Paper 4.3, EIP-1559). Commit seals are not in it; they
/// stand beside the block (seal.hpp), so the block hash is the plain keccak of the header and any tool can
/// check it.
struct block_header {
  hash32 parent_hash;
  hash32 ommers_hash = empty_ommers_hash;
  address coinbase; ///< the validator that made the block
  hash32 state_root = empty_trie_root;
  hash32 txns_root = empty_trie_root;
  hash32 receipts_root = empty_trie_root;
  bloom logs_bloom;
  u256 difficulty{1};
  std::uint64_t block_num = 0;
  std::uint64_t gas_limit = 0;
  std::uint64_t gas_used = 0;
  std::uint64_t timestamp = 0; ///< seconds since 1970; data from the proposer, never a clock
  bytes extra_data;            ///< keccak of the parent's seals (block.hpp); the genesis block's is free
  hash32 mix_hash = qbft_mix_hash;
  fixed_bytes<8> nonce; ///< the round in which the block was made, see made_in_round
  u256 base_fee;
  bool operator==(const block_header&) const = default;
};

bytes encode_header(const block_header& header);
result<block_header> decode_header(bytes_view raw);
/// The header as the first item of a block.
result<block_header> decode_header(const rlp_item& item);

/// The round of consensus in which a block was made. It may be decided in a later one, if a quorum was prepared on it.
inline std::uint64_t made_in_round(const block_header& header) {
  return get_be64(header.nonce.data());
}

/// keccak(rlp(header)): names the block, whoever sealed it in whatever round.
hash32 block_hash(const block_header& header);

} // namespace swarm::ledger
