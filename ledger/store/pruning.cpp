#include "base/assert.hpp"
#include "ledger/store/block_store.hpp"

namespace swarm::ledger {

namespace {

constexpr std::string_view states_from_key = "states_from";
constexpr std::string_view sweep_key = "sweep_at";
constexpr std::size_t stamp_size = 8;

bytes number(std::uint64_t value) {
  bytes out(stamp_size);
  put_be64(out.data(), value);
  return out;
}

} // namespace

std::optional<block_store::stamped_node> block_store::split_node(bytes_view stored) {
  if (stored.size() <= stamp_size) return std::nullopt;
  return stamped_node{get_be64(stored.data()), stored.subspan(stamp_size)};
}

void block_store::put_node(kv_batch& batch, bytes_view hash, bytes_view rlp, std::uint64_t stamp) {
  bytes value;
  value.reserve(stamp_size + rlp.size());
  value.resize(stamp_size);
  put_be64(value.data(), stamp);
  append(value, rlp);
  batch.put(column::trie_nodes, hash, value);
}

result<> block_store::load_pruning() {
  SWARM_TRY(const auto from, tables_->get(column::meta, as_bytes(states_from_key)));
  if (from && from->size() != stamp_size)
    return fail(store_errc::damaged, "{}: which states are kept is unreadable; {}", dir().string(),
                damage_remedy);
  SWARM_TRY(sweep_at_, tables_->get(column::meta, as_bytes(sweep_key)));
  states_from_ = from ? get_be64(from->data()) : 0;
  return {};
}

result<std::vector<bytes>> block_store::stamp_nodes(std::span<const hash32> nodes, std::uint64_t block_num) {
  SWARM_ASSERT(!has_collected());
  std::vector<bytes> out;
  kv_batch batch;
  for (const auto& hash : nodes) {
    SWARM_TRY(const auto raw, tables_->get(column::trie_nodes, hash.view()));
    const auto node = raw ? split_node(*raw) : std::nullopt;
    if (!node || node->stamp < states_from_)
      return fail(store_errc::damaged, "{}: trie node {} of the state after block {} is missing; {}",
                  dir().string(), to_hex(hash.view()), block_num, damage_remedy);
    if (node->stamp < block_num) put_node(batch, hash.view(), node->rlp, block_num);
    out.push_back(to_bytes(node->rlp));
  }
  if (batch.size() > 0) SWARM_CHECK(tables_->write(batch));
  return out;
}

result<> block_store::give_up_states(std::uint64_t block_num) {
  SWARM_ASSERT(!has_collected() && !sweep_at_ && block_num > states_from_);
  kv_batch batch;
  batch.put(column::meta, as_bytes(states_from_key), number(block_num));
  batch.put(column::meta, as_bytes(sweep_key), {});
  SWARM_CHECK(tables_->write(batch));
  sweep_at_ = bytes{};
  states_from_ = block_num;
  return {};
}

result<bool> block_store::sweep_nodes(std::size_t max) {
  SWARM_ASSERT(!has_collected());
  if (!sweep_at_) return false;
  kv_batch batch;
  auto next = *sweep_at_;
  bool more = false;
  {
    auto at = tables_->walk(column::trie_nodes);
    for (more = at.seek(next); more && max > 0; more = at.next(), --max) {
      const auto node = split_node(at.value());
      if (node && node->stamp < states_from_) batch.erase(column::trie_nodes, at.key());
    }
    SWARM_CHECK(at.status());
    if (more) next = to_bytes(at.key());
  }
  if (batch.size() > 0 || !more) { // else the same part is looked at again after a restart
    if (more)
      batch.put(column::meta, as_bytes(sweep_key), next);
    else
      batch.erase(column::meta, as_bytes(sweep_key));
    SWARM_CHECK(tables_->write(batch));
  }
  sweep_at_ = more ? std::optional(std::move(next)) : std::nullopt;
  return more;
}

result<> block_store::forget_pruning() {
  kv_batch batch;
  batch.erase(column::meta, as_bytes(states_from_key));
  batch.erase(column::meta, as_bytes(sweep_key));
  SWARM_CHECK(tables_->write(batch));
  return load_pruning();
}

} // namespace swarm::ledger
