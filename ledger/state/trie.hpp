#pragma once

#include "ledger/formats/header.hpp"
#include "ledger/state/trie_store.hpp"

#include <optional>

namespace swarm::ledger {

/// Nodes to be stored, by hash.
using node_batch = std::vector<std::pair<hash32, bytes>>;

/// A Merkle Patricia trie (Yellow Paper appendix D). Changes stay in memory until `commit`. Copies are cheap
/// and independent, since nodes are shared and immutable. The root depends on the entries only, not on the
/// order in which they came. A value is never empty: putting an empty one means erasing. The only errors are
/// those of reading stored nodes.
class trie {
public:
  /// The entries below `root` in `stored`, which must outlive the trie; null for one that is never stored.
  explicit trie(trie_store* stored, const hash32& root = empty_trie_root);

  result<std::optional<bytes>> get(bytes_view key) const;
  result<> put(bytes_view key, bytes value);
  /// Erasing what is not there changes nothing.
  result<> erase(bytes_view key);

  /// Computes the root, appends the nodes not stored yet to `batch` and hands them to the store's cache.
  hash32 commit(node_batch& batch);
  /// Computes only the root, for a trie that is not to be stored.
  hash32 root() const;

  /// The RLP of the nodes on the way to `key`, from the root to where the key's entry is or would be
  /// (EIP-1186). Embedded nodes are part of their parent and not listed. Nothing for an empty trie.
  result<std::vector<bytes>> prove(bytes_view key) const;

private:
  struct erased {
    bool changed = false;
    trie_child now;
  };
  result<trie_node_ptr> resolve(const trie_child& child) const;
  result<trie_node_ptr> put_below(const trie_child& at, bytes_view path, bytes& value) const;
  result<trie_node_ptr> put_short(const trie_node& node, bytes_view path, bytes& value) const;
  result<erased> erase_below(const trie_child& at, bytes_view path) const;
  result<erased> erase_extension(const trie_node& node, bytes_view path) const;
  result<erased> erase_branch(const trie_node& node, bytes_view path) const;
  result<trie_child> collapse_branch(trie_node node) const;
  result<trie_node_ptr> prefixed(bytes_view path, const trie_child& child) const;

  trie_store* stored_;
  trie_child root_;
};

/// The root of a trie in which entry i has the key rlp(i), as a block's transactions and receipts have it.
hash32 ordered_trie_root(std::span<const bytes> values);

/// Checks a proof of `key` against `root` and returns the value, or none when the proof shows that there is
/// no entry. Accepts proofs with and without embedded nodes as elements of their own. Fails unless every
/// element is needed.
result<std::optional<bytes>> verify_proof(const hash32& root, bytes_view key, std::span<const bytes> proof);

} // namespace swarm::ledger
