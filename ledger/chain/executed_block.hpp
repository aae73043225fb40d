#pragma once

#include "ledger/formats/block.hpp"
#include "ledger/formats/receipt.hpp"

#include <memory>

namespace swarm::ledger {

/// What one transaction did. The output of a failed one is its revert data, empty when it ran out of gas.
struct txn_outcome {
  receipt consensus;          ///< the part the receipts root covers
  std::uint64_t gas_used = 0; ///< of this transaction alone
  bytes revert_output;        ///< empty when it succeeded
};

/// A block with everything that its execution brought about. It is immutable and shared; the senders of all
/// transactions are known.
struct executed_block {
  hash32 hash;
  block_header header;
  std::vector<transaction> txns;
  seal_record parent_seals;
  std::vector<txn_outcome> outcomes; ///< one per transaction
  std::size_t encoded_size = 0;      ///< bytes of `encode_block`

  /// The block-wide index of the first log of transaction `txn_index`.
  std::size_t first_log_index(std::size_t txn_index) const;
  /// What others are sent of it.
  block content() const { return {header, txns, parent_seals}; }
};
using block_ptr = std::shared_ptr<const executed_block>;

/// The bytes that a block takes in memory, estimated, to bound caches.
std::size_t memory_of(const executed_block& item);

/// What is stored of a block, by part.
struct encoded_block {
  bytes header;
  bytes body;
  bytes receipts;
  bytes outputs;
};
encoded_block encode_executed(const executed_block& item);
/// Puts the parts together again. With `with_senders` it recovers the senders, which takes most of the time.
result<std::shared_ptr<executed_block>> decode_executed(const encoded_block& parts, std::uint64_t chain_id,
                                                        bool with_senders);

/// Fills in what follows from `header`, `txns` and `parent_seals`: the hash and the size.
void complete(executed_block& item);

} // namespace swarm::ledger
