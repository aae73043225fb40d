#pragma once

#include "ledger/formats/header.hpp"

namespace swarm::ledger {

/// keccak of no bytes: the code hash of an account without code.
inline constexpr hash32 empty_code_hash{std::array<std::uint8_t, 32>{
    0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d, 0xb2, 0xdc, 0xc7, 0x03, 0xc0,
    0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82, 0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70}};

/// What the state trie holds under keccak(address) (Yellow Paper 4.1).
struct account {
  std::uint64_t nonce = 0; ///< transactions sent; 1 at first for a contract (EIP-161)
  u256 balance;            ///< zero on this chain, which has no coin
  hash32 storage_root = empty_trie_root;
  hash32 code_hash = empty_code_hash;
  bool operator==(const account&) const = default;

  /// Whether the account is left out of the trie (EIP-161).
  bool is_empty() const { return nonce == 0 && balance.is_zero() && code_hash == empty_code_hash; }
};

/// rlp[nonce, balance, storage root, code hash].
bytes encode_account(const account& item);
result<account> decode_account(bytes_view raw);

/// Proof of one account and some of its slots against a state root, as eth_getProof answers (EIP-1186).
/// Each proof is the list of trie nodes from the root down; an absent key's proof ends where its path
/// leaves the trie.
struct account_proof {
  struct slot_proof {
    hash32 key;
    hash32 value; ///< zero when never written
    std::vector<bytes> nodes;
  };
  account item;
  std::vector<bytes> nodes;
  std::vector<slot_proof> slots;
};

} // namespace swarm::ledger
