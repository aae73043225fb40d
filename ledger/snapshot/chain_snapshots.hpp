#pragma once

#include "ledger/chain/snapshot_port.hpp"
#include "ledger/sync/past_block.hpp"

#include <unordered_map>

namespace swarm::sync {

/// What a chain gives to nodes that take a snapshot of it, and takes in when it is itself taken from one
/// (ledger/sync/snapshot_machine.hpp). Lives no longer than its chain, on its thread. Errors of writing are
/// those of `chain::commit`, and the same call may be tried again.
class chain_snapshots {
public:
  explicit chain_snapshots(ledger::chain& of) : chain_(of), port_(of) {}

  const ledger::snapshot_gaps& gaps() const;
  /// The head and who seals the block after it.
  result<ledger::trusted_block> trusted() const;

  /// See snapshot_port.
  void hold_pruning(bool on) { port_.hold_pruning(on); }

  // Parts of the state, by hash. `errc::not_found`: not here.
  result<bool> has_node(const hash32& hash) const;
  result<bool> has_code(const hash32& hash) const;
  result<bytes> node(const hash32& hash) const;
  result<bytes> code(const hash32& hash) const;
  /// Nodes whose children are stored, or come earlier in the batch.
  result<> store_state(const ledger::state_batch& batch);

  /// Makes `pivot` the head: one atomic, synced write with those of `changes`, which brought the validators
  /// there, that come after the old head. The state below its root must be stored. Blocks between the old
  /// head and it are missing from now on, and the states after them for good.
  result<ledger::block_ptr> adopt(const verified_block& pivot, std::span<const ledger::handover> changes);

  /// The youngest blocks that are missing; none when history is whole.
  result<std::optional<missing_range>> youngest_missing() const;
  /// Stores blocks from the last of the youngest missing range downwards. One synced write.
  result<> store_past(std::span<const verified_block> blocks);
  /// As it is stored, without decoding it; none: not here.
  result<std::optional<sync::past_block>> past_block(std::uint64_t block_num) const;

  // Who sealed what
  struct changes_found {
    std::vector<std::uint64_t> blocks; ///< ascending, each once
    bool all = false;                  ///< there are no more up to `to`
  };
  /// Up to `max` blocks after `after` whose state has other validators than that before it; as far as `to`.
  /// Such a block has a log with `topic`, which stands first.
  result<changes_found> changes(const hash32& topic, std::uint64_t after, std::uint64_t to,
                                std::size_t max) const;
  /// A block with its seals and the proof of the validators in its state.
  result<ledger::handover> handover_at(std::uint64_t block_num) const;

private:
  /// Whether the state after an executed block has other validators than the one before it.
  result<bool> is_change(std::uint64_t block_num) const;

  ledger::chain& chain_;
  ledger::chain::snapshot_port port_;
  mutable std::unordered_map<std::uint64_t, bool> is_change_; ///< as far as it was asked
};

} // namespace swarm::sync
