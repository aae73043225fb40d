#pragma once

#include "ledger/state/trie_store.hpp"

namespace swarm::ledger {

/// Reads many entries below one stored root, whose keys are hashes, as those of a state are. Each node is looked
/// up once, however many entries are below it.
class trie_reader {
public:
  /// `stored` must outlive this.
  trie_reader(trie_store& stored, const hash32& root);

  /// The value, for as long as this lives; null when there is none. The only errors are those of reading nodes.
  result<const bytes*> find(const hash32& key);

private:
  struct link {
    trie_node_ptr node; ///< null until it is read
    std::unique_ptr<link[]> below;
  };
  /// Reads the node that `child`, which is not empty, stands for.
  result<> resolve(link& at, const trie_child& child);

  trie_store& stored_;
  trie_child root_;
  link top_;
};

} // namespace swarm::ledger
