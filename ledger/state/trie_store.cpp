#include "ledger/state/trie_store.hpp"

namespace swarm::ledger {

namespace {
/// The memory of an entry beside its node, estimated: list and map nodes, allocator overhead.
constexpr std::size_t entry_overhead = 160;

result<trie_node_ptr> load_decoded(const node_source& source, const hash32& hash) {
  auto raw = source(hash);
  if (!raw && raw.error().is(errc::not_found))
    return fail(errc::corrupt, "state: trie node {} is missing", to_hex(hash.view()));
  if (!raw) return tl::unexpected(std::move(raw).error());
  auto node = decode_trie_node(*raw);
  if (!node)
    return fail(errc::corrupt, "state: trie node {} is damaged: {}", to_hex(hash.view()),
                node.error().message);
  return node;
}

} // namespace

trie_store::trie_store(node_source source, std::size_t cache_bytes_max)
    : source_{[from = std::move(source)](const hash32& hash) { return load_decoded(from, hash); }},
      cache_bytes_max_(cache_bytes_max) {}

trie_store::trie_store(decoded_node_source source, std::size_t cache_bytes_max)
    : source_(std::move(source)), cache_bytes_max_(cache_bytes_max) {}

trie_node_ptr trie_store::cached(const hash32& hash) {
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(hash);
  if (found == index_.end()) return nullptr;
  found->second->used = true;
  return found->second->node;
}

std::size_t trie_store::cache_bytes() const {
  const std::lock_guard lock(mutex_);
  return cached_bytes_;
}

result<trie_node_ptr> trie_store::load(const hash32& hash) {
  if (cache_bytes_max_ == 0) return source_.load(hash);
  if (auto known = cached(hash)) return known;
  auto node = source_.load(hash);
  if (node) keep(hash, *node);
  return node;
}

void trie_store::keep(const hash32& hash, trie_node_ptr node) {
  if (cache_bytes_max_ == 0) return;
  const std::lock_guard lock(mutex_);
  if (index_.contains(hash)) return;
  auto size = node->memory() + entry_overhead;
  recent_.push_front({hash, std::move(node), size});
  index_.emplace(hash, recent_.begin());
  cached_bytes_ += size;
  while (cached_bytes_ > cache_bytes_max_) {
    if (std::exchange(recent_.back().used, false)) {
      recent_.splice(recent_.begin(), recent_, std::prev(recent_.end()));
      continue;
    }
    cached_bytes_ -= recent_.back().size;
    index_.erase(recent_.back().hash);
    recent_.pop_back();
  }
}

} // namespace swarm::ledger
