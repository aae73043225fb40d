#pragma once

#include "ledger/state/account.hpp"
#include "ledger/state/trie.hpp"
#include "ledger/state/trie_reader.hpp"

#include <span>

namespace swarm::ledger {

/// Where stored state comes from: trie nodes and contract codes, both by hash. Shared by all views of one
/// chain. Any thread may use it if any thread may use its sources.
class state_store {
public:
  /// `codes` answers like `nodes`.
  state_store(node_source nodes, node_source codes, std::size_t node_cache_bytes_max);
  state_store(decoded_node_source nodes, node_source codes, std::size_t node_cache_bytes_max);

  trie_store& nodes() { return nodes_; }
  result<bytes> code(const hash32& hash);

private:
  trie_store nodes_;
  node_source codes_;
  std::mutex mutex_;                               ///< guards what follows
  std::unordered_map<hash32, bytes> recent_codes_; ///< bounded; a chain has a handful of kinds
};

/// The state below one root, read only.
class state_view {
public:
  state_view(state_store& store, const hash32& root);

  /// Empty when there is no such account.
  result<std::optional<account>> account_of(const address& who) const;
  result<bytes> code_of(const address& who) const;
  /// Zero for a slot that was never written.
  result<hash32> storage_of(const address& who, const hash32& slot) const;
  result<account_proof> prove(const address& who, std::span<const hash32> slots) const;

private:
  state_store& store_;
  trie accounts_;
};

/// The slot `key` in the storage trie below `root`.
result<hash32> read_slot(const trie& storage, const hash32& key);
result<hash32> read_slot(trie_reader& storage, const hash32& key);

} // namespace swarm::ledger
