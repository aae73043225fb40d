#pragma once

#include "ledger/state/state_view.hpp"

namespace swarm::ledger {

/// What a block adds to the stored state.
struct state_batch {
  hash32 root;
  node_batch nodes;
  std::vector<std::pair<hash32, bytes>> codes; ///< by hash
};

/// The state below one root with changes on top of it in memory. A journal undoes them back to any snapshot.
/// The only errors are those of reading stored state.
class state_overlay {
public:
  state_overlay(state_store& store, const hash32& root);

  result<std::uint64_t> nonce_of(const address& who);
  result<> set_nonce(const address& who, std::uint64_t nonce);
  result<bytes> code_of(const address& who);
  result<> set_code(const address& who, bytes code);
  result<hash32> load(const address& who, const hash32& slot);
  /// A zero value deletes the slot.
  result<> store(const address& who, const hash32& slot, const hash32& value);

  using snapshot = std::size_t;
  snapshot take_snapshot() const { return journal_.size(); }
  /// Undoes everything since `to`; younger snapshots become invalid.
  void revert(snapshot to);
  /// Makes everything so far final within this overlay; older snapshots become invalid.
  void forget_snapshots() { journal_.clear(); }

  /// Computes the new root and what has to be stored for it. The overlay must not be used afterwards.
  result<state_batch> commit();

private:
  struct slot {
    hash32 before; ///< in the stored state
    hash32 now;
  };
  struct entry {
    account before; ///< in the stored state
    std::uint64_t nonce = 0;
    hash32 code_hash;
    trie_reader stored; ///< its storage
    std::unordered_map<hash32, slot> slots;
    explicit entry(trie_reader from) : stored(std::move(from)) {}
  };
  struct undo_nonce {
    address who;
    std::uint64_t nonce;
  };
  struct undo_code {
    address who;
    hash32 code_hash;
  };
  struct undo_slot {
    address who;
    hash32 key;
    hash32 value;
  };

  result<entry*> entry_of(const address& who);
  result<slot*> slot_of(const address& who, const hash32& key);
  result<> commit_account(const address& who, entry& item, state_batch& batch);

  state_store& store_;
  trie accounts_;
  std::unordered_map<address, entry> entries_;
  std::unordered_map<hash32, bytes> new_codes_;
  std::vector<std::variant<undo_nonce, undo_code, undo_slot>> journal_;
};

} // namespace swarm::ledger
