#pragma once

#include "ledger/formats/receipt.hpp"
#include "ledger/proof/trust.hpp"

namespace swarm::ledger {

/// Proof that a transaction of a block made a log: the nodes of the block's transaction and receipt tries on
/// the way from the roots in the header to rlp(index).
struct log_proof {
  std::uint64_t block_num = 0;
  std::uint64_t txn_index = 0; ///< in the block
  std::uint64_t log_index = 0; ///< in the receipt
  std::vector<bytes> txn;
  std::vector<bytes> receipt;
};

/// What such a proof shows.
struct proven_log {
  std::uint64_t block_num = 0;
  std::uint64_t txn_index = 0;
  hash32 txn_hash;
  address sender; ///< who signed the transaction
  std::optional<address> to;
  log_entry entry;
};

/// The nodes on the way to entry `index` of the trie whose root is `ordered_trie_root(values)`.
std::vector<bytes> prove_ordered(std::span<const bytes> values, std::size_t index);

/// Checks a proof against the header of its block, which the caller trusts. Errors name the block.
result<proven_log> check_log_proof(const log_proof& proof, const block_header& header,
                                   std::uint64_t chain_id);

} // namespace swarm::ledger
