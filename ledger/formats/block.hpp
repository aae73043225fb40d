#pragma once

#include "ledger/formats/header.hpp"
#include "ledger/formats/seal.hpp"
#include "ledger/formats/transaction.hpp"

#include <span>

namespace swarm::ledger {

/// Why a block is refused; its parts keep their own categories.
enum class block_errc {
  too_large = 1, ///< over `block_size_max`
  too_many_txns, ///< over `block_txns_max`
  has_ommers,    ///< ommers where there can be none
  parent_seals,  ///< seals of the parent that are not those whose hash the header has
};

constexpr std::string_view error_category(block_errc) {
  return "block";
}

inline constexpr std::size_t block_size_max = 8 * 1024 * 1024; ///< bytes
inline constexpr std::size_t block_txns_max = 16384;

/// What a block has beside its header.
struct block_body {
  std::vector<transaction> txns;
  seal_record parent_seals; ///< the header's extra data is its hash; of the genesis block: none
};

struct block {
  block_header header;
  std::vector<transaction> txns;
  seal_record parent_seals;
};

/// rlp[header, txns, ommers, parent's seals], ommers always empty (Yellow Paper 4.3.3, EIP-2718).
bytes encode_block(const block& item);
result<block> decode_block(bytes_view raw, std::uint64_t chain_id);

/// rlp[txns, ommers, parent's seals]: what is stored beside a header.
bytes encode_body(std::span<const transaction> txns, const seal_record& parent_seals);
result<block_body> decode_body(bytes_view raw, std::uint64_t chain_id);

/// Checks that `parent_seals` is the record whose hash `header` has. Whether a quorum made it is another rule.
result<> check_parent_seals(const block_header& header, const seal_record& parent_seals);

} // namespace swarm::ledger
