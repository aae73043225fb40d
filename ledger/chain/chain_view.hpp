#pragma once

#include "ledger/chain/chain_limits.hpp"
#include "ledger/chain/chain_rules.hpp"
#include "ledger/chain/executed_block.hpp"
#include "ledger/chain/genesis.hpp"
#include "ledger/chain/log_filter.hpp"
#include "ledger/formats/seal.hpp"
#include "ledger/state/account.hpp"
#include "ledger/state/call.hpp"

#include <memory>
#include <optional>

namespace swarm::ledger {

// proof/trust.hpp and proof/witness.hpp
struct handover;
struct proved_calls;
struct recorded_calls;
struct sealed_header;
struct validators_proof;
struct witness_set;

struct txn_place {
  block_ptr block;
  std::size_t index = 0;
};

/// A block and its seals as they are sent to others.
struct sealed_block_bytes {
  bytes block;
  bytes seals;
};

/// What it took to answer a query for logs.
struct log_query_work {
  std::size_t blocks_read = 0;
  std::size_t index_seeks = 0;
  std::uint64_t reached = 0; ///< after too_many_logs: up to the block before, a query is allowed
};

/// A chain up to one block, its head, with everything that can be asked about it. It is immutable and any
/// thread may use it: blocks are final, so a view is no more than a head, and what it shows is on disk. Only
/// old states are given up, also for a view that was made before. It can be read while the chain goes on or
/// recovers from a failed write. Of a history that is being fetched it shows what was there when it was made.
/// When its chain has ended, reading fails with store_errc::io.
class chain_view {
public:
  // Identity
  std::uint64_t chain_id() const;
  const hash32& genesis_hash() const;
  const genesis_params& genesis() const;
  const block_ptr& head() const;
  /// Which rules are in force after the head, and from when on others are.
  result<rules_schedule> rules() const;
  /// The validators by the state after `block_num`, sorted.
  result<std::vector<address>> validators_after(std::uint64_t block_num) const;
  /// Those of them whose turns come last after the head, as they missed some; sorted.
  result<std::vector<address>> resting_validators() const;

  // Look-ups. Null or none means that there is no such thing. An error means that the store cannot be read,
  // or that a snapshot skipped the block and it was not fetched yet (history_missing).
  bool history_complete() const;
  result<block_ptr> block_by_num(std::uint64_t block_num) const;
  result<block_ptr> block_by_hash(const hash32& hash) const;
  /// The header alone, which is much cheaper than the block.
  result<std::optional<block_header>> header_by_num(std::uint64_t block_num) const;
  result<std::optional<txn_place>> find_txn(const hash32& hash) const;
  result<std::optional<seal_record>> seals_of(std::uint64_t block_num) const;
  /// The block for another node to import, as it is on disk, without decoding transactions.
  result<std::optional<sealed_block_bytes>> sealed_block_of(std::uint64_t block_num) const;

  // The state after a block from 0 to the head; without a number it is the head. Those that a snapshot
  // skipped and those that were given up (chain::prune) are not here: state_missing.
  using at_block = std::optional<std::uint64_t>;
  bool has_state(std::uint64_t block_num) const;
  /// Zero and empty when there is no such account.
  result<account> account_of(const address& who, at_block at = {}) const;
  result<bytes> code_of(const address& who, at_block at = {}) const;
  result<hash32> storage_of(const address& who, const hash32& slot, at_block at = {}) const;
  result<account_proof> prove(const address& who, std::span<const hash32> slots, at_block at = {}) const;
  /// Proves the validators after a block. It can do so also for blocks without a state here, if they changed
  /// the validators.
  result<validators_proof> prove_validators(std::uint64_t block_num) const;
  /// Executes a call without effect on top of block `at`. A revert is a result, not an error. Errors are
  /// a value ("insufficient funds"), a missing `to`, and a gas limit over the block's or under the
  /// intrinsic gas.
  result<call_result> call(const call_request& request, at_block at = {}) const;
  /// What it takes to execute these calls without the chain, each on top of block `at`. Reverts are proved,
  /// too; the errors are those of `call`, and errc::limit when they read too much to show. Of `has`, if it is not
  /// null, nothing is shown again.
  result<recorded_calls> prove_calls(std::span<const call_request> requests, at_block at = {},
                                     const witness_set* has = nullptr) const;
  /// The id of what these calls read there.
  result<hash32> witness_of(std::span<const call_request> requests, at_block at = {}) const;
  /// What `prove_calls` shows of calls that have read `read` there, without executing them again.
  result<proved_calls> show(const witness_set& read, at_block at = {},
                            const witness_set* has = nullptr) const;
  /// Errors: as `header_by_num`, and history_missing when nobody could check the seals.
  result<sealed_header> sealed_header_of(std::uint64_t block_num) const;
  /// A block and the proof of the validators in its state; skipped blocks that changed them, too.
  result<handover> handover_at(std::uint64_t block_num) const;
  /// As `call`, but when the status is ok, `gas_used` is half more than was used: a limit with which the same
  /// transaction succeeds even if the state changes a little meanwhile.
  result<call_result> estimate_gas(const call_request& request, at_block at = {}) const;

  /// The logs that match, oldest first. Fails with `too_many_logs` over the limits of chain_limits
  /// and with `bad_filter`.
  result<std::vector<log_hit>> logs(const log_filter& filter) const;
  /// The same; `work` tells what the query took, even when it fails.
  result<std::vector<log_hit>> logs(const log_filter& filter, log_query_work& work) const;

  struct parts; ///< in chain_parts.hpp, for those who make one
  explicit chain_view(std::shared_ptr<const parts> of) : parts_(std::move(of)) {}
  chain_view(const chain_view&) = delete;
  chain_view& operator=(const chain_view&) = delete;

private:
  result<call_result> execute(const call_request& request, at_block at) const;
  std::shared_ptr<const parts> parts_;
};

} // namespace swarm::ledger
