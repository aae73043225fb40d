#pragma once

#include "ledger/formats/block.hpp"
#include "ledger/formats/receipt.hpp"
#include "ledger/formats/seal.hpp"
#include "ledger/sync/snapshot_wire.hpp"

namespace swarm::sync {

/// Blocks that are missing, `first` and `last` among them.
struct missing_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  hash32 last_hash; ///< what the block after `last` says
};

/// A block whose hash was known before it came, and what it brought about.
struct verified_block {
  ledger::block content;
  hash32 hash;
  std::vector<ledger::receipt> receipts; ///< one per transaction
  ledger::seal_record seals;             ///< nobody has checked by whom
};

/// Checks a block against the hash it must have: header, transactions root, receipts root, gas. Executes
/// nothing. Errors name the block number the caller expects.
result<verified_block> check_past_block(const past_block& from, std::uint64_t block_num, const hash32& hash,
                                        std::uint64_t chain_id);

} // namespace swarm::sync
