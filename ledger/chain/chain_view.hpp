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

struct validators_proof; // proof/trust.hpp

struct txn_place {
  block_ptr block;
  std::size_t index = 0;
};

/// A block and its seals as they are sent to others.
struct sealed_block_bytes {
  bytes block;
  bytes seals;
};

/// What a query for logs took.
struct log_query_work {
  std::size_t blocks_read = 0;
  std::size_t index_seeks = 0;
  std::uint64_t reached = 0; ///< with too_many_logs: the logs of the blocks before this one are not too many
};

/// A chain up to one block, its head, with everything that can be asked about it. Immutable, and for any thread:
/// blocks are final and nothing is pruned, so a view is no more than a head, and what it shows is on disk. It
/// reads while the chain goes on, also while that one recovers from a failed write, and shows what was fetched of
/// history until it was made. When its chain has ended it can read nothing any more, which is an error
/// (store_errc::io).
class chain_view {
public:
  // Identity
  std::uint64_t chain_id() const;
  const hash32& genesis_hash() const;
  const genesis_params& genesis() const;
  const block_ptr& head() const;
  /// The validators by the state after `block_num`, sorted.
  result<std::vector<address>> validators_after(std::uint64_t block_num) const;

  // Look-ups. Null or none: there is no such thing; an error: the store cannot be read, or the block is one
  // that a snapshot skipped and that was not fetched yet (history_missing).
  bool history_complete() const;
  result<block_ptr> block_by_num(std::uint64_t block_num) const;
  result<block_ptr> block_by_hash(const hash32& hash) const;
  /// The header alone, which is much cheaper than the block.
  result<std::optional<block_header>> header_by_num(std::uint64_t block_num) const;
  result<std::optional<txn_place>> find_txn(const hash32& hash) const;
  result<std::optional<seal_record>> seals_of(std::uint64_t block_num) const;
  /// For another node to import; read from disk as it is, without decoding transactions.
  result<std::optional<sealed_block_bytes>> sealed_block_of(std::uint64_t block_num) const;

  // State after a block; nothing is pruned, so any block from 0 to the head will do, but those that a
  // snapshot skipped (state_missing). None: the head.
  using at_block = std::optional<std::uint64_t>;
  /// All zero and empty for an account that is not there.
  result<account> account_of(const address& who, at_block at = {}) const;
  result<bytes> code_of(const address& who, at_block at = {}) const;
  result<hash32> storage_of(const address& who, const hash32& slot, at_block at = {}) const;
  result<account_proof> prove(const address& who, std::span<const hash32> slots, at_block at = {}) const;
  /// Proof of the validators after a block; also after those that changed them and that a snapshot skipped.
  result<validators_proof> prove_validators(std::uint64_t block_num) const;
  /// Executes without effect on top of block `at`. A revert is a result, not an error; errors are value
  /// ("insufficient funds"), a missing `to`, and gas limits over the block's or under the intrinsic gas.
  result<call_result> call(const call_request& request, at_block at = {}) const;
  /// As `call`; when the status is ok, `gas_used` is a limit with which the same transaction will succeed,
  /// also when the state moves on a little: a half more than was used.
  result<call_result> estimate_gas(const call_request& request, at_block at = {}) const;

  /// The logs that match, oldest first. Fails with `too_many_logs` over the limits of chain_limits
  /// and with `bad_filter`.
  result<std::vector<log_hit>> logs(const log_filter& filter) const;
  /// Says also, whether it fails or not, what it took.
  result<std::vector<log_hit>> logs(const log_filter& filter, log_query_work& work) const;

  struct parts; ///< in chain_parts.hpp, for those who make one
  explicit chain_view(std::shared_ptr<const parts> of) : parts_(std::move(of)) {}
  chain_view(const chain_view&) = delete;
  chain_view& operator=(const chain_view&) = delete;

private:
  std::shared_ptr<const parts> parts_;
};

} // namespace swarm::ledger
