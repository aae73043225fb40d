#pragma once

#include "ledger/state/trie_node.hpp"

#include <list>
#include <mutex>
#include <unordered_map>

namespace swarm::ledger {

/// Reads the RLP of a stored node by its hash; `errc::not_found` when there is none, `io` when
/// the disk fails.
using node_source = std::function<result<bytes>(const hash32&)>;
/// The same for nodes that are decoded already.
struct decoded_node_source {
  std::function<result<trie_node_ptr>(const hash32&)> load;
};

/// Stored trie nodes, those used lately kept decoded within a bound of bytes, which may be 0. Nodes are found by their
/// content, so a cached node is never stale. Any thread may use it if any thread may use its source.
class trie_store {
public:
  trie_store(node_source source, std::size_t cache_bytes_max);
  trie_store(decoded_node_source source, std::size_t cache_bytes_max);

  /// The node; `errc::corrupt` when it is missing or malformed, since its hash was found in the state.
  result<trie_node_ptr> load(const hash32& hash);
  /// Remembers a node that is about to be stored.
  void keep(const hash32& hash, trie_node_ptr node);
  std::size_t cache_bytes() const;

private:
  struct entry {
    hash32 hash;
    trie_node_ptr node;
    std::size_t size;
    bool used = false; ///< since it was the last one
  };
  trie_node_ptr cached(const hash32& hash);

  decoded_node_source source_;
  std::size_t cache_bytes_max_;
  mutable std::mutex mutex_; ///< guards what follows
  std::size_t cached_bytes_ = 0;
  std::list<entry> recent_; ///< the last one goes, or to the front if it was used
  std::unordered_map<hash32, std::list<entry>::iterator> index_;
};

} // namespace swarm::ledger
