#pragma once

#include "ledger/chain/chain_limits.hpp"
#include "ledger/chain/chain_view.hpp"
#include "ledger/chain/snapshot_gaps.hpp"

namespace swarm::ledger {

/// Gives up the states of a chain that are older than the youngest `keep_states`, in bounded parts, each with
/// at most one synced write. Belongs to the chain's thread.
///
/// A round goes from the states that are kept now to those from block `first` on:
///   1. of each block up to `first` that changed the validators the proof is kept, with its header and seals;
///   2. all nodes of the state after `first` are stamped with `first`;
///   3. states before `first` are given up: nodes with an older stamp count as not stored from here on;
///   4. a sweep over all nodes deletes those.
/// A node of a later state was there in the state after `first` or was written by a block since then, so its
/// stamp is young enough. Whatever counts as stored is therefore whole at each moment. After a restart step 4
/// goes on, and steps 1 and 2 begin again.
///
/// A snapshot that this node takes finds nodes of any age in the store, so steps 1 to 4 wait while one is
/// being taken, and `first` is never before the last one.
class state_pruner {
public:
  state_pruner(std::shared_ptr<const chain_view::parts> of, block_store& store, const chain_limits& limits);

  /// Does the next part. False: there is nothing to do until there are more blocks. After an error the round
  /// begins again.
  result<bool> step(const snapshot_gaps& gaps);
  void hold(bool on) { held_ = on; }
  void begin_anew() { round_.reset(); }

private:
  struct part {
    hash32 hash;
    bool of_accounts = false; ///< a node of the trie of accounts, not of an account's storage
  };
  struct round {
    std::uint64_t first = 0;      ///< of the states that are kept
    std::uint64_t next_block = 0; ///< to be looked at for a change of validators
    std::vector<part> unstamped;  ///< nodes whose parents are stamped
  };
  result<bool> next_part(const snapshot_gaps& gaps);
  result<> begin_round(const snapshot_gaps& gaps);
  result<> keep_changes(const snapshot_gaps& gaps);
  result<bool> changes_validators(std::uint64_t block_num) const;
  result<meta_note> change_note(std::uint64_t block_num) const;
  result<> stamp();
  result<> add_below(const trie_node& node, bool of_accounts);

  chain_view chain_;
  block_store& store_;
  chain_limits limits_;
  bool held_ = false;
  std::optional<round> round_;
};

} // namespace swarm::ledger
