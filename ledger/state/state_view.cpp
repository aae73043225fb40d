#include "ledger/state/state_view.hpp"

#include "base/hash.hpp"

namespace swarm::ledger {

namespace {
constexpr std::size_t recent_codes_max = 64;
constexpr std::size_t recent_code_size_max = 4096;

/// What the entry `raw` of a storage trie says; null: there is none.
result<hash32> slot_value(const bytes* raw, const hash32& key) {
  if (raw == nullptr) return hash32{};
  auto word = [&]() -> result<u256> {
    SWARM_TRY(auto item, rlp_decode(*raw, "storage slot"));
    return rlp_to_u256(item, "storage slot");
  }();
  if (!word)
    return fail(errc::corrupt, "state: slot {} is damaged: {}", to_hex(key.view()), word.error().message);
  return static_cast<hash32>(*word);
}

} // namespace

state_store::state_store(node_source nodes, node_source codes, std::size_t node_cache_bytes_max)
    : nodes_(std::move(nodes), node_cache_bytes_max), codes_(std::move(codes)) {}

state_store::state_store(decoded_node_source nodes, node_source codes, std::size_t node_cache_bytes_max)
    : nodes_(std::move(nodes), node_cache_bytes_max), codes_(std::move(codes)) {}

result<bytes> state_store::code(const hash32& hash) {
  if (hash == empty_code_hash) return bytes{};
  {
    const std::lock_guard lock(mutex_);
    if (auto found = recent_codes_.find(hash); found != recent_codes_.end()) return found->second;
  }
  auto raw = codes_(hash);
  if (!raw && raw.error().is(errc::not_found))
    return fail(errc::corrupt, "state: code {} is missing", to_hex(hash.view()));
  if (!raw) return raw;
  const std::lock_guard lock(mutex_);
  if (recent_codes_.size() >= recent_codes_max) recent_codes_.clear();
  if (raw->size() <= recent_code_size_max) recent_codes_.emplace(hash, *raw);
  return raw;
}

state_view::state_view(state_store& store, const hash32& root)
    : store_(store), accounts_(&store.nodes(), root) {}

result<std::optional<account>> state_view::account_of(const address& who) const {
  SWARM_TRY(auto raw, accounts_.get(keccak256(who.view()).view()));
  if (!raw) return std::optional<account>{};
  auto found = decode_account(*raw);
  if (!found)
    return fail(errc::corrupt, "state: account {} is damaged: {}", to_hex(who.view()), found.error().message);
  return std::optional{*found};
}

result<bytes> state_view::code_of(const address& who) const {
  SWARM_TRY(auto found, account_of(who));
  if (!found) return bytes{};
  return store_.code(found->code_hash);
}

result<hash32> state_view::storage_of(const address& who, const hash32& slot) const {
  SWARM_TRY(auto found, account_of(who));
  if (!found) return hash32{};
  return read_slot(trie(&store_.nodes(), found->storage_root), slot);
}

result<account_proof> state_view::prove(const address& who, std::span<const hash32> slots) const {
  account_proof out;
  SWARM_TRY(auto found, account_of(who));
  out.item = found.value_or(account{});
  SWARM_TRY(out.nodes, accounts_.prove(keccak256(who.view()).view()));
  trie storage(&store_.nodes(), out.item.storage_root);
  for (const auto& slot : slots) {
    account_proof::slot_proof proved{.key = slot};
    SWARM_TRY(proved.value, read_slot(storage, slot));
    SWARM_TRY(proved.nodes, storage.prove(keccak256(slot.view()).view()));
    out.slots.push_back(std::move(proved));
  }
  return out;
}

result<hash32> read_slot(const trie& storage, const hash32& key) {
  SWARM_TRY(const auto raw, storage.get(keccak256(key.view()).view()));
  return slot_value(raw ? &*raw : nullptr, key);
}

result<hash32> read_slot(trie_reader& storage, const hash32& key) {
  SWARM_TRY(const auto* raw, storage.find(keccak256(key.view())));
  return slot_value(raw, key);
}

} // namespace swarm::ledger
