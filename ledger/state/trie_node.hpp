#pragma once

#include "base/bytes.hpp"

#include <functional>
#include <memory>
#include <variant>

namespace swarm::ledger {

struct trie_node;
using trie_node_ptr = std::shared_ptr<const trie_node>;

/// What stands below a node: nothing, a stored node by its hash, or a node in memory, which is either
/// embedded (its RLP is under 32 bytes) or not stored yet.
using trie_child = std::variant<std::monostate, hash32, trie_node_ptr>;
inline bool is_none(const trie_child& child) {
  return std::holds_alternative<std::monostate>(child);
}

/// A node of a Merkle Patricia trie (Yellow Paper appendix D), immutable once shared. Its kind follows from
/// the number of children: 0 leaf, 1 extension, 16 branch. Paths hold one nibble per byte.
struct trie_node {
  bytes path;  ///< of a leaf or an extension
  bytes value; ///< of a leaf, or of a branch at which a key ends
  std::vector<trie_child> children;

  bool is_leaf() const { return children.empty(); }
  bool is_extension() const { return children.size() == 1; }
  bool is_branch() const { return children.size() == 16; }
  /// The bytes that this node and what is embedded in it take in memory.
  std::size_t memory() const;
};

/// One nibble per byte, high nibble first.
bytes to_nibbles(bytes_view key);
/// Hex-prefix encoding of a path (Yellow Paper appendix C).
bytes hex_prefix(bytes_view nibbles, bool is_leaf);

/// Called with a node that has to be stored: its hash, its RLP, and the node with every stored
/// child as a hash.
using trie_node_sink = std::function<void(const hash32&, bytes, trie_node_ptr)>;

/// A node of memory in the form in which it is stored.
struct encoded_trie_node {
  bytes rlp;
  trie_node_ptr clean; ///< children by hash, except the embedded ones
};
/// Encodes `node` and everything below it that is in memory; what has to be stored below it goes to `sink`
/// (children first), `node` itself does not.
encoded_trie_node encode_trie_node(const trie_node& node, const trie_node_sink& sink);

/// Reads a node strictly: canonical RLP, 2 or 17 items, a valid hex prefix, children that are nothing, a
/// hash, or an embedded node under 32 bytes.
result<trie_node_ptr> decode_trie_node(bytes_view raw);

} // namespace swarm::ledger
