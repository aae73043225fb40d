#pragma once

#include "ledger/chain/block_archive.hpp"
#include "ledger/chain/block_executor.hpp"
#include "ledger/chain/chain_window.hpp"
#include "ledger/chain/snapshot_gaps.hpp"
#include "ledger/chain/state_pruner.hpp"

#include <set>

namespace swarm::ledger {

/// What a chain and all of its views read from, on any thread.
struct chain_source {
  genesis_params genesis;
  hash32 genesis_hash;
  contract_table contracts;
  chain_limits limits;
  std::unique_ptr<block_store> store;
  block_archive blocks;
  state_store state; ///< for the views: only what is on disk

  chain_source(const chain_options& options, genesis_params params, std::unique_ptr<block_store> opened);
};

/// A place in a chain: a view's, which never changes, or the chain's own.
struct chain_view::parts {
  std::shared_ptr<chain_source> from;
  state_store* state; ///< the views' or the chain's own
  block_ptr head;
  snapshot_gaps gaps;

  /// Whether the state after a block was given up or skipped by a snapshot.
  bool lacks_state(std::uint64_t block_num) const;
  error missing_state(std::uint64_t block_num) const;
  /// What reading the state after `at` gave. If the state was given up meanwhile, it says so.
  template <class T>
  result<T> told(at_block at, result<T> got) const {
    if (got || !got.error().is(errc::corrupt)) return got;
    const auto block_num = at.value_or(head->header.block_num);
    if (!lacks_state(block_num)) return got;
    return tl::unexpected(missing_state(block_num));
  }
  /// The state after block `at`, or after the head.
  result<state_view> state_at(at_block at) const;
  result<block_header> header_at(at_block at) const;
  /// The header of block `at`, whose state must be here.
  result<block_header> header_with_state(at_block at) const;
  /// The validators after a block whose state is not here, by the changes that are kept of such blocks.
  result<std::vector<address>> skipped_validators(std::uint64_t block_num) const;
};

/// Messages about full days, beyond which they are forgotten; they have the organisation and the day in them.
inline constexpr std::size_t told_of_space_max = 1024;

/// Whether the transactions of a block are known to be those that its header names.
enum class body_state : std::uint8_t { unchecked, checked };

/// The parts of a chain that it does not share with its views.
struct chain::parts {
  chain_options options;
  std::shared_ptr<chain_source> source;
  state_store state; ///< includes the state of collected blocks
  std::shared_ptr<chain_view::parts> now;
  std::shared_ptr<chain_window> window;
  state_pruner pruner;
  std::vector<candidate_ptr> candidates; ///< on top of the head, the youngest last
  block_timing last_block;
  /// A block and the state after it, for questions about room there.
  std::optional<std::pair<hash32, state_overlay>> space_state;
  std::set<std::string> told_of_space; ///< so that each organisation's full day is logged once
  seal_record head_seals;              ///< those of the head that this node has

  // Parts of what stands above
  const genesis_params& genesis;
  const contract_table& contracts;
  block_store* store;
  block_archive& blocks;
  const mempool& pool;
  block_ptr& head;
  snapshot_gaps& gaps;

  parts(chain_options opts, std::shared_ptr<chain_source> from);

  result<> write_genesis(const genesis_block& first);
  result<> load_head();
  result<> recover_store();
  /// Shows others what is on disk now. This comes before transactions are dropped from the pool,
  /// see chain_window.
  void show();
  /// Executes a transaction that waited, unless it is not admitted any more (pool_errc::no_member).
  result<> add_admitted(block_executor& executor, const transaction& txn) const;
  /// The organisation that answers for the bytes of a transaction that may wait; 0 when nobody counts them.
  result<std::uint16_t> check_space(const transaction& txn);
  void tell_of_space(const error& why);
  void remember(const candidate_ptr& made);
  void set_head(const block_ptr& block, const seal_record& seals);
  /// Drops from the pool what `block` brought.
  void advance_pool(const executed_block& block);
  /// The same for all blocks up to the head, however they came.
  result<> advance_pool_to_head();
  /// What the next block knows; `chain_errc::unknown_rules` when this program cannot make or judge it.
  result<block_context> next_context(const address& proposer, std::uint64_t timestamp,
                                     std::uint64_t made_in = 0);
  /// Checks that a block on top of the head brings the seals of a quorum for the head.
  result<> check_seals_of_head(const block& proposed);
  /// Those whose seals make the head final.
  result<std::vector<address>> sealers_of_head();
  /// Checks a block with the hash `hash` against every rule by executing it on top of `head`.
  result<candidate_ptr> execute(const block& proposed, const hash32& hash, body_state body);
};

} // namespace swarm::ledger
