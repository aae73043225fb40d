#pragma once

#include "ledger/formats/block.hpp"
#include "ledger/formats/receipt.hpp"
#include "ledger/formats/seal.hpp"
#include "ledger/sync/snapshot_wire.hpp"

namespace swarm::sync {

/// A range of missing blocks that includes `first` and `last`.
struct missing_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  hash32 last_hash; ///< the hash of `last`, as the block after it says
};

/// A block whose hash was known before it arrived, and the outcome of its execution.
struct verified_block {
  ledger::block content;
  hash32 hash;
  std::vector<ledger::receipt> receipts; ///< one per transaction
  ledger::seal_record seals;             ///< not checked
};

/// Checks a block against the hash it must have: header, transactions root, receipts root, gas. It executes
/// nothing. Errors name the block number that the caller expects.
result<verified_block> check_past_block(const past_block& from, std::uint64_t block_num, const hash32& hash,
                                        std::uint64_t chain_id);

} // namespace swarm::sync
