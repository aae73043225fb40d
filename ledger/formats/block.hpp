#pragma once

#include "ledger/formats/header.hpp"
#include "ledger/formats/transaction.hpp"

#include <span>

namespace swarm::ledger {

/// Why a block is refused; its parts keep their own categories.
enum class block_errc {
  too_large = 1, ///< over `block_size_max`
  too_many_txns, ///< over `block_txns_max`
  has_ommers,    ///< ommers where there can be none
};

constexpr std::string_view error_category(block_errc) {
  return "block";
}

inline constexpr std::size_t block_size_max = 8 * 1024 * 1024; ///< bytes
inline constexpr std::size_t block_txns_max = 16384;

struct block {
  block_header header;
  std::vector<transaction> txns;
};

/// rlp[header, txns, ommers], ommers always empty (Yellow Paper 4.3.3, EIP-2718).
bytes encode_block(const block& item);
result<block> decode_block(bytes_view raw, std::uint64_t chain_id);

/// rlp[txns, ommers]: what is stored beside a header.
bytes encode_body(std::span<const transaction> txns);
result<std::vector<transaction>> decode_body(bytes_view raw, std::uint64_t chain_id);

} // namespace swarm::ledger
