#pragma once

#include "ledger/chain/chain.hpp"
#include "ledger/chain/snapshot_gaps.hpp"
#include "ledger/proof/trust_chain.hpp"

#include <functional>
#include <optional>

namespace swarm::ledger {

/// What giving and taking snapshots (ledger/snapshot) needs of a chain beside its public functions. It must
/// not outlive its chain, and is used on the chain's thread. Errors of writing are those of `chain::commit`,
/// and the same call may be tried again.
class chain::snapshot_port {
public:
  explicit snapshot_port(chain& of) : chain_(of), parts_(*of.parts_) {}

  const snapshot_gaps& gaps() const;

  /// Nothing is given up meanwhile. To be called before it is asked which nodes of a snapshot are here.
  void hold_pruning(bool on);

  // Parts of the state, by hash; `errc::not_found` when they are not here.
  result<bytes> trie_node(const hash32& hash) const;
  result<bytes> code(const hash32& hash) const;
  /// Stores nodes whose children are stored already or come earlier in the batch.
  result<> store_state(const state_batch& batch);

  /// Makes `pivot`, which others executed, the head, in one atomic, synced write with those of `changes` that
  /// come after the old head. The state below its root must be stored. The blocks between the old head and
  /// the pivot become a gap.
  result<block_ptr> adopt(const block_ptr& pivot, const seal_record& seals,
                          std::span<const handover> changes);

  struct past_block {
    block_ptr block;
    seal_record seals;
  };
  /// Stores blocks from the last of the youngest gap downwards. One synced write.
  result<> store_past(std::span<const past_block> blocks);
  /// A block and its seals as they are stored, or none when the block is not here.
  result<std::optional<sealed_block_bytes>> sealed_bytes(std::uint64_t block_num) const;
  result<std::optional<bytes>> receipts(std::uint64_t block_num) const;

  /// Blocks after `after` that changed the validators and that a snapshot skipped, at most `max`, ascending.
  result<std::vector<std::uint64_t>> skipped_changes(std::uint64_t after, std::size_t max) const;
  result<std::optional<handover>> skipped_change(std::uint64_t block_num) const;
  /// Calls `found` for blocks from `from` to `to` with a log whose first topic is `topic`, until it
  /// returns false or `seeks_max` places of the index have been looked up. Returns the first block that
  /// was not looked at.
  result<std::uint64_t> scan_topic(const hash32& topic, std::uint64_t from, std::uint64_t to,
                                   std::size_t seeks_max,
                                   const std::function<result<bool>(std::uint64_t)>& found) const;

private:
  chain& chain_;
  parts& parts_;
};

} // namespace swarm::ledger
