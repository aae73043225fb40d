#pragma once

#include "ledger/formats/block.hpp"

#include <memory>

namespace swarm::consensus {

using shared_bytes = std::shared_ptr<const bytes>;

/// What consensus knows of a block. Its hash names the content to the last byte: `check_body` has compared
/// the transactions with the header's root, and each transaction has one encoding.
struct proposed_block {
  hash32 hash;
  hash32 parent_hash;
  std::uint64_t block_num = 0;
  address proposer; ///< the header's coinbase: the validator that made it, not the one that proposes it again
  shared_bytes raw; ///< rlp[header, txns, ommers]; null for a block that never travels (one validator)
  bool body_checked = false;
};

/// Reads the header only: cheap, and enough to check who signed for it. `raw` is kept.
result<proposed_block> read_block(shared_bytes raw);

/// Checks that the transactions are those whose root the header names and that there are no ommers. Execution
/// is somebody else's. Does its work once.
result<> check_body(proposed_block& block);

/// A block made here, from its header; `raw` may be null when nobody else is to see it.
proposed_block own_block(const ledger::block_header& header, const hash32& hash, shared_bytes raw);

} // namespace swarm::consensus
