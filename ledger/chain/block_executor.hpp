#pragma once

#include "ledger/chain/chain.hpp"
#include "ledger/chain/genesis.hpp"
#include "ledger/chain/mempool.hpp"
#include "ledger/state/execute.hpp"
#include "ledger/state/state_view.hpp"

namespace swarm::ledger {

/// What committing a candidate writes, and what making it cost.
struct block_changes {
  state_batch state;
  block_timing timing;
};

/// The root of the trie of a block's transactions.
hash32 root_of_txns(std::span<const transaction> txns);

/// What a block on top of `parent` knows, where `after` is the state after that.
result<block_context> context_on(const executed_block& parent, const state_view& after,
                                 const genesis_params& genesis, const hash32& genesis_hash,
                                 const address& proposer, std::uint64_t timestamp, std::uint64_t made_in);
/// Fails with `chain_errc::unknown_rules` for rules that are newer than `known`.
result<> check_rules_known(const block_context& next, std::uint64_t known);

/// Executes one block on top of its parent, transaction by transaction. It is pure except that it reads
/// stored state.
class block_executor {
public:
  block_executor(state_store& store, const contract_table& contracts, block_context context,
                 const executed_block& parent);

  /// Begins the block, once: `parent_seals` go into it, and who missed a turn by them and by the round is noted.
  result<> open(seal_record parent_seals);
  /// Executes one more transaction. Errors are those of `execute_transaction`; after one of `execution_errc`,
  /// `space_errc` or `errc::internal` another transaction may be tried.
  result<> add(transaction txn);
  std::size_t txn_count() const { return block_->txns.size(); }
  /// Bytes the block's transactions take so far.
  std::size_t size() const { return size_; }

  /// Closes the block: `header` is completed with roots, bloom and gas. The executor is of no further use.
  /// `txns_root` may be given when the caller knows it.
  result<candidate_ptr> finish(const hash32* txns_root = nullptr);

private:
  result<> note_missed(const seal_record& parent_seals);

  using clock = std::chrono::steady_clock;
  state_store& store_;
  state_overlay state_;
  const contract_table& contracts_;
  block_context context_;
  const executed_block& parent_;
  std::shared_ptr<executed_block> block_;
  std::uint64_t gas_used_ = 0;
  std::size_t size_ = 0;
  clock::duration execute_time_{};
};

} // namespace swarm::ledger
