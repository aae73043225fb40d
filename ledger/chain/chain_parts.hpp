#pragma once

#include "ledger/chain/block_archive.hpp"
#include "ledger/chain/block_executor.hpp"
#include "ledger/chain/snapshot_gaps.hpp"

namespace swarm::ledger {

/// Whether the transactions of a block are known to be those that its header names.
enum class body_state : std::uint8_t { unchecked, checked };

/// What a chain is made of; shared by chain.cpp (pool and blocks) and chain_queries.cpp.
struct chain::parts {
  chain_options options;
  genesis_params genesis;
  hash32 genesis_hash;
  contract_table contracts;
  std::unique_ptr<block_store> store;
  state_store state;
  block_archive blocks;
  mempool pool;
  block_ptr head;
  snapshot_gaps gaps;
  std::vector<candidate_ptr> candidates; ///< on top of the head, the youngest last
  block_timing last_block;

  parts(chain_options opts, genesis_params params, std::unique_ptr<block_store> opened);

  result<void> write_genesis(const genesis_block& first);
  result<void> load_head();
  result<void> recover_store();
  void remember(const candidate_ptr& made);
  void set_head(const block_ptr& block);
  /// Drops what waits in the pool and came with `block`.
  void advance_pool(const executed_block& block);
  /// The same for everything up to the head, however it came about.
  result<void> advance_pool_to_head();
  /// Checks a block with the hash `hash` against every rule by executing it on top of `head`.
  result<candidate_ptr> execute(const block& proposed, const hash32& hash, body_state body);

  /// The state after a block; none: the head.
  result<state_view> state_at(at_block at);
  result<block_header> header_at(at_block at);
  /// The header of a block whose state is here.
  result<block_header> header_with_state(at_block at);
  /// The validators after a block that a snapshot skipped, by the changes that came with it.
  result<std::vector<address>> skipped_validators(std::uint64_t block_num);
};

} // namespace swarm::ledger
