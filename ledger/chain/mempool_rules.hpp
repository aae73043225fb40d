#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace swarm::ledger {

/// Why a transaction is not let in although it could be executed one day. Malformed transactions keep
/// the categories of their formats, and those that can never be executed keep execution_errc. The
/// messages contain the words that ethers.js and web3.py look for ("already known", "replacement
/// transaction underpriced").
enum class pool_errc {
  already_known = 1, ///< the same transaction waits already
  nonce_gap,         ///< further ahead of the account's nonce than `nonce_gap_max`
  replacement,       ///< another transaction of this sender and nonce waits; it is never replaced
  sender_full,       ///< too many of this sender wait
  pool_full,         ///< too many, or too many bytes, wait in all
  no_member,         ///< its sender may send nothing here
  organisation_full, ///< its sender's organisation has used up its share of the chain
};

constexpr std::string_view error_category(pool_errc) {
  return "mempool";
}

struct pool_limits {
  std::size_t txns_max = 16384;
  std::size_t bytes_max = 32 * 1024 * 1024;
  std::size_t sender_txns_max = 256;
  std::uint64_t nonce_gap_max = 255; ///< nonces from the account's up to this much further may wait
};

} // namespace swarm::ledger
