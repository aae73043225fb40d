#include "ledger/store/kv_store.hpp"

#include <array>

namespace swarm::ledger {

namespace {

constexpr std::size_t step_bytes = 1024 * 1024;
constexpr std::uint8_t list_begins = 0xc0; ///< RLP of a node is a list, and a stamp begins with a zero

/// Version 2 stamps each trie node with the newest block in whose state it may be: here the head.
result<> stamp_nodes(kv_store& tables) {
  SWARM_TRY(const auto head, tables.get(column::meta, as_bytes(std::string_view("head"))));
  bytes stamp(8);
  if (head && head->size() >= stamp.size()) std::copy_n(head->begin(), stamp.size(), stamp.begin());
  bytes from;
  for (bool more = true; more;) {
    kv_batch batch;
    {
      auto at = tables.walk(column::trie_nodes);
      for (more = at.seek(from); more && batch.size() < step_bytes; more = at.next()) {
        if (at.value().empty() || at.value().front() < list_begins) continue;
        auto value = stamp;
        append(value, at.value());
        batch.put(column::trie_nodes, at.key(), value);
      }
      SWARM_CHECK(at.status());
      if (more) from = to_bytes(at.key());
    }
    SWARM_CHECK(tables.write(batch));
  }
  return {};
}

} // namespace

std::span<const schema_step> schema_steps() {
  static const std::array steps{schema_step{2, stamp_nodes}};
  return steps;
}

} // namespace swarm::ledger
