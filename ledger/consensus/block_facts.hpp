#pragma once

#include "ledger/formats/block.hpp"

#include <memory>

namespace swarm::consensus {

using shared_bytes = std::shared_ptr<const bytes>;

/// What consensus knows of a block. Its hash names the content to the last byte: `check_body` has compared
/// transactions and seals with what the header says of them, and each has one encoding.
struct proposed_block {
  hash32 hash;
  hash32 parent_hash;
  std::uint64_t block_num = 0;
  address proposer; ///< the header's coinbase: the validator that made it, not the one that proposes it again
  std::uint64_t made_in = 0; ///< the round in which it did, by the header
  shared_bytes raw; ///< as encode_block gives it; null for a block that never travels (one validator)
  bool body_checked = false;
};

/// Reads only the header, which is cheap and enough to check who signed for the block. `raw` is kept.
result<proposed_block> read_block(shared_bytes raw);

/// Checks that transactions and seals of the parent are those that the header names, and no ommers are there. It does
/// not execute them. A second call for the same block does nothing.
result<> check_body(proposed_block& block);

/// A block that was made here; `raw` may be null when nobody else is to see it.
proposed_block own_block(const ledger::block_header& header, const hash32& hash, shared_bytes raw);

} // namespace swarm::consensus
