#pragma once

#include "ledger/formats/block.hpp"
#include "ledger/formats/receipt.hpp"
#include "ledger/formats/seal.hpp"
#include "ledger/sync/snapshot_wire.hpp"

#include <optional>

namespace swarm::sync {

/// A range of missing blocks that includes `first` and `last`.
struct missing_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  hash32 last_hash;  ///< the hash of `last`, as the block after it says
  hash32 last_seals; ///< the hash of its seals, likewise
};

/// A block whose hash was known before it arrived, and the outcome of its execution.
struct verified_block {
  ledger::block content;
  hash32 hash;
  std::vector<ledger::receipt> receipts; ///< one per transaction
  ledger::seal_record seals;             ///< not checked, unless their hash was known
};

/// Checks a block against the hash it must have: header, transactions root, seals of its parent, receipts root,
/// gas; and its own seals against theirs, when the caller knows it. It executes nothing. Errors name the block
/// number that the caller expects.
result<verified_block> check_past_block(const past_block& from, std::uint64_t block_num, const hash32& hash,
                                        const std::optional<hash32>& seals, std::uint64_t chain_id);

} // namespace swarm::sync
