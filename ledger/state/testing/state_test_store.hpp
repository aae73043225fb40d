#pragma once

#include "base/assert.hpp"
#include "ledger/state/state_overlay.hpp"

namespace swarm::ledger::test {

/// Stored state in memory, for tests.
struct memory_state {
  std::unordered_map<hash32, bytes> nodes;
  std::unordered_map<hash32, bytes> codes;
  state_store store;

  explicit memory_state(std::size_t cache_bytes_max = 1'000'000)
      : store(source(nodes), source(codes), cache_bytes_max) {}

  /// Stores a batch and returns its root.
  hash32 take(result<state_batch> batch) {
    SWARM_ASSERT(batch.has_value());
    for (auto& [hash, rlp] : batch->nodes)
      nodes[hash] = rlp;
    for (auto& [hash, code] : batch->codes)
      codes[hash] = code;
    return batch->root;
  }

private:
  static node_source source(const std::unordered_map<hash32, bytes>& from) {
    return [&from](const hash32& hash) -> result<bytes> {
      auto found = from.find(hash);
      if (found == from.end()) return fail(errc::not_found, "not stored");
      return found->second;
    };
  }
};

} // namespace swarm::ledger::test
