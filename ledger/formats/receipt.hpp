#pragma once

#include "ledger/formats/bloom.hpp"
#include "ledger/formats/transaction.hpp"

namespace swarm::ledger {

/// Why a receipt is refused; malformed RLP keeps its own category.
enum class receipt_errc {
  unsupported_type = 1, ///< a type byte other than 1 or 2
  bad_status,           ///< neither 0 nor 1 (EIP-658)
  too_many_topics,      ///< over four in one log
  logs_of_failure,      ///< logs although the transaction failed
  bloom_mismatch,       ///< a bloom that is not that of the logs
  too_large,            ///< over `receipts_size_max`
};

constexpr std::string_view error_category(receipt_errc) {
  return "receipt";
}

inline constexpr std::size_t topics_max = 4;
/// Largest encoding of one block's receipts, in bytes.
inline constexpr std::size_t receipts_size_max = 16 * 1024 * 1024;

/// The outcome of one transaction (Yellow Paper 4.3.1, EIP-658, EIP-2718). The bloom follows from the logs.
struct receipt {
  txn_type type = txn_type::legacy;
  bool ok = true;
  std::uint64_t cumulative_gas_used = 0; ///< of the block up to and with this transaction
  std::vector<log_entry> logs;           ///< none when the transaction failed
  bool operator==(const receipt&) const = default;
};

/// The receipt as the receipt trie holds it: rlp[status, gas, bloom, logs], a type byte in front when typed.
bytes encode_receipt(const receipt& item);
result<receipt> decode_receipt(bytes_view raw);

/// All receipts of a block in one list, typed ones as strings; they are stored and sent in this form.
bytes encode_receipts(std::span<const receipt> items);
result<std::vector<receipt>> decode_receipts(bytes_view raw);

} // namespace swarm::ledger
