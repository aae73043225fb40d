#include "ledger/store/block_store.hpp"

#include "base/assert.hpp"

namespace swarm::ledger {

namespace {

constexpr std::string_view head_key = "head";
constexpr std::string_view chain_id_key = "chain_id";
constexpr std::string_view genesis_hash_key = "genesis_hash";
constexpr std::string_view genesis_params_key = "genesis_params";
constexpr std::string_view repair_key = "under_repair";

using number_key = std::array<std::uint8_t, 8>;

number_key key_of(std::uint64_t number) {
  number_key out{};
  put_be64(out.data(), number);
  return out;
}

tl::unexpected<error> damaged(const kv_store& tables, std::string_view what) {
  return fail(store_errc::damaged, "{}: {} is unreadable; {}", tables.dir().string(), what, damage_remedy);
}

/// The most bytes of keys and values that are collected before they are written: a little less than a
/// write buffer.
constexpr std::size_t collected_bytes_max = 1024 * 1024;

bytes place_of_txn(std::uint64_t block_num, std::uint64_t index) {
  bytes out(16);
  put_be64(out.data(), block_num);
  put_be64(out.data() + 8, index);
  return out;
}

} // namespace

log_key log_key::any() {
  return {{0}};
}

log_key log_key::emitter(const address& who) {
  log_key out;
  out.prefix.reserve(1 + who.size());
  out.prefix.push_back(5);
  append(out.prefix, who.view());
  return out;
}

log_key log_key::topic(std::size_t position, const hash32& value) {
  log_key out;
  out.prefix.reserve(1 + value.size());
  out.prefix.push_back(static_cast<std::uint8_t>(1 + position));
  append(out.prefix, value.view());
  return out;
}

void append_log_keys(std::vector<log_key>& to, const log_entry& entry) {
  to.push_back(log_key::any());
  to.push_back(log_key::emitter(entry.emitter));
  for (std::size_t i = 0; i < entry.topics.size(); ++i)
    to.push_back(log_key::topic(i, entry.topics[i]));
}

std::vector<bytes> block_store::log_index_keys(std::span<const log_key> keys, std::uint64_t block_num) {
  const auto num = key_of(block_num);
  std::vector<bytes> out;
  out.reserve(keys.size());
  for (const auto& key : keys) {
    out.push_back(key.prefix);
    append(out.back(), num);
  }
  std::sort(out.begin(), out.end(), [](bytes_view a, bytes_view b) { return as_text(a) < as_text(b); });
  auto same = [](bytes_view a, bytes_view b) { return as_text(a) == as_text(b); };
  out.erase(std::unique(out.begin(), out.end(), same), out.end());
  return out;
}

block_store::block_store(std::unique_ptr<kv_store> tables) : tables_(std::move(tables)) {}

result<std::unique_ptr<block_store>> block_store::open(store_options options) {
  SWARM_TRY(auto tables, kv_store::open(std::move(options)));
  auto out = std::unique_ptr<block_store>(new block_store(std::move(tables)));
  SWARM_CHECK(out->load_pruning());
  return out;
}

const std::filesystem::path& block_store::dir() const {
  return tables_->dir();
}

result<std::optional<stored_identity>> block_store::identity() const {
  SWARM_TRY(auto chain_id, tables_->get(column::meta, as_bytes(chain_id_key)));
  if (!chain_id) return std::optional<stored_identity>{};
  SWARM_TRY(auto hash, tables_->get(column::meta, as_bytes(genesis_hash_key)));
  SWARM_TRY(auto params, tables_->get(column::meta, as_bytes(genesis_params_key)));
  if (chain_id->size() != 8 || !hash || hash->size() != 32 || !params)
    return damaged(*tables_, "what names the chain");
  return std::optional<stored_identity>{
      {get_be64(chain_id->data()), *hash32::from_view(*hash), std::move(*params)}};
}

result<std::optional<stored_head>> block_store::head() const {
  SWARM_TRY(auto raw, tables_->get(column::meta, as_bytes(head_key)));
  if (!raw) return std::optional<stored_head>{};
  if (raw->size() != 40) return damaged(*tables_, "the head");
  return std::optional<stored_head>{{get_be64(raw->data()), *hash32::from_view(bytes_view(*raw).subspan(8))}};
}

void block_store::put_content(kv_batch& batch, const block_record& block) {
  auto num = key_of(block.block_num);
  batch.put(column::headers, num, block.header);
  batch.put(column::bodies, num, block.body);
  batch.put(column::receipts, num, block.receipts);
  batch.put(column::outputs, num, block.outputs);
  if (block.block_num > 0) batch.put(column::seals, key_of(block.block_num - 1), block.parent_seals);
  batch.put(column::seals, num, block.seals);
  batch.put(column::block_nums, block.hash.view(), num);
  for (std::size_t i = 0; i < block.txn_hashes.size(); ++i)
    batch.put(column::txn_index, block.txn_hashes[i].view(), place_of_txn(block.block_num, i));
  for (const auto& key : log_index_keys(block.log_keys, block.block_num))
    batch.put(column::log_index, key, {});
  if (block.state != nullptr) put_state(batch, *block.state, block.block_num);
  for (const auto& record : block.records)
    batch.put(column::consensus, as_bytes(record.key), record.value);
  put_notes(batch, block.notes);
}

void block_store::put_block(kv_batch& batch, const block_record& block) {
  put_content(batch, block);
  auto num = key_of(block.block_num);
  bytes head(num.begin(), num.end());
  append(head, block.hash.view());
  batch.put(column::meta, as_bytes(head_key), head);
}

result<> block_store::write_block(const block_record& block, const stored_identity* identity) {
  SWARM_ASSERT(!has_collected());
  kv_batch batch;
  put_block(batch, block);
  if (identity != nullptr) {
    batch.put(column::meta, as_bytes(chain_id_key), key_of(identity->chain_id));
    batch.put(column::meta, as_bytes(genesis_hash_key), identity->genesis_hash.view());
    batch.put(column::meta, as_bytes(genesis_params_key), identity->genesis_params);
  }
  return tables_->write(batch);
}

result<> block_store::collect_block(const block_record& block) {
  put_block(collected_, block);
  ++collected_count_;
  if (block.state != nullptr) {
    collected_nodes_.insert(block.state->nodes.begin(), block.state->nodes.end());
    collected_nodes_.insert(block.state->codes.begin(), block.state->codes.end());
  }
  return collected_.size() < collected_bytes_max ? result<>{} : write_collected();
}

result<> block_store::write_collected() {
  if (!has_collected()) return {};
  auto batch = std::exchange(collected_, kv_batch{});
  collected_count_ = 0;
  collected_nodes_.clear();
  return tables_->write(batch);
}

bool block_store::needs_recovery() const {
  return tables_->needs_recovery();
}

result<> block_store::recover() {
  SWARM_CHECK(tables_->recover());
  return load_pruning(); // a write that seemed to fail may have been part of it
}

block_store::maybe_bytes block_store::header(std::uint64_t block_num) const {
  return tables_->get(column::headers, key_of(block_num));
}
block_store::maybe_bytes block_store::body(std::uint64_t block_num) const {
  return tables_->get(column::bodies, key_of(block_num));
}
block_store::maybe_bytes block_store::receipts(std::uint64_t block_num) const {
  return tables_->get(column::receipts, key_of(block_num));
}
block_store::maybe_bytes block_store::outputs(std::uint64_t block_num) const {
  return tables_->get(column::outputs, key_of(block_num));
}
block_store::maybe_bytes block_store::seals(std::uint64_t block_num) const {
  return tables_->get(column::seals, key_of(block_num));
}

result<std::optional<std::uint64_t>> block_store::num_of(const hash32& block_hash) const {
  SWARM_TRY(auto raw, tables_->get(column::block_nums, block_hash.view()));
  if (!raw) return std::optional<std::uint64_t>{};
  if (raw->size() != 8) return damaged(*tables_, "the number of a block");
  return std::optional{get_be64(raw->data())};
}

result<std::optional<stored_txn_place>> block_store::place_of(const hash32& txn_hash) const {
  SWARM_TRY(auto raw, tables_->get(column::txn_index, txn_hash.view()));
  if (!raw) return std::optional<stored_txn_place>{};
  if (raw->size() != 16) return damaged(*tables_, "the place of a transaction");
  return std::optional<stored_txn_place>{{get_be64(raw->data()), get_be64(raw->data() + 8)}};
}

result<bytes> block_store::trie_node(const hash32& hash) const {
  SWARM_TRY(auto raw, tables_->get(column::trie_nodes, hash.view()));
  const auto node = raw ? split_node(*raw) : std::nullopt;
  if (!node || node->stamp < states_from_)
    return fail(errc::not_found, "trie node {} is not stored", to_hex(hash.view()));
  return to_bytes(node->rlp);
}

result<bytes> block_store::code(const hash32& hash) const {
  SWARM_TRY(auto raw, tables_->get(column::code, hash.view()));
  if (!raw) return fail(errc::not_found, "code {} is not stored", to_hex(hash.view()));
  return std::move(*raw);
}

result<bytes> block_store::newest_node(const hash32& hash) const {
  if (auto found = collected_nodes_.find(hash); found != collected_nodes_.end()) return found->second;
  return trie_node(hash);
}

result<bytes> block_store::newest_code(const hash32& hash) const {
  if (auto found = collected_nodes_.find(hash); found != collected_nodes_.end()) return found->second;
  return code(hash);
}

namespace {

constexpr auto no_block = ~std::uint64_t{0};

/// The blocks in which any key of one group stands, ascending.
class group_walk {
public:
  group_walk(kv_cursor cursor, std::span<const log_key> keys, std::size_t& seeks)
      : cursor_(std::move(cursor)), keys_(keys), next_(keys.size(), 0), seeks_(seeks) {}

  /// The first block at or after `from`, or `no_block`.
  std::uint64_t seek(std::uint64_t from) {
    auto best = no_block;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (next_[i] < from || !started_) {
        next_[i] = seek_key(keys_[i].prefix, from);
        ++seeks_;
      }
      best = std::min(best, next_[i]);
    }
    started_ = true;
    return best;
  }
  result<> status() const { return cursor_.status(); }

private:
  std::uint64_t seek_key(const bytes& prefix, std::uint64_t from) {
    bytes wanted = prefix;
    append(wanted, key_of(from));
    if (!cursor_.seek(wanted)) return no_block;
    auto found = cursor_.key();
    if (found.size() != wanted.size() || !std::equal(prefix.begin(), prefix.end(), found.begin()))
      return no_block;
    return get_be64(found.data() + prefix.size());
  }

  kv_cursor cursor_;
  std::span<const log_key> keys_;
  std::vector<std::uint64_t> next_; ///< per key: its first block at or after what was sought last
  std::size_t& seeks_;
  bool started_ = false;
};

} // namespace

result<std::uint64_t> block_store::scan_logs(std::uint64_t from, std::uint64_t to,
                                             std::span<const std::vector<log_key>> groups,
                                             const std::function<result<bool>(std::uint64_t)>& found,
                                             std::size_t seeks_max, std::size_t& seeks) const {
  if (groups.empty()) return to + 1;
  std::vector<group_walk> walks;
  walks.reserve(groups.size());
  for (const auto& group : groups)
    walks.emplace_back(tables_->walk(column::log_index), group, seeks);
  for (auto block_num = from; block_num <= to;) {
    if (seeks > seeks_max) return block_num;
    // Every group moves on to its first block at or after the one agreed so far; when none had to
    // move, all agree.
    auto agreed = block_num;
    for (auto& walk : walks) {
      agreed = walk.seek(agreed);
      SWARM_CHECK(walk.status());
      if (agreed > to) return to + 1;
    }
    if (agreed > block_num) {
      block_num = agreed;
      continue;
    }
    SWARM_TRY(auto go_on, found(block_num));
    if (!go_on) return block_num;
    ++block_num;
  }
  return to + 1;
}

result<> block_store::write_records(std::span<const consensus_record> records) {
  kv_batch batch;
  for (const auto& record : records)
    batch.put(column::consensus, as_bytes(record.key), record.value);
  return tables_->write(batch);
}

block_store::maybe_bytes block_store::record_of(std::string_view key) const {
  return tables_->get(column::consensus, as_bytes(key));
}

result<bool> block_store::under_repair() const {
  SWARM_TRY(const auto mark, tables_->get(column::meta, as_bytes(repair_key)));
  return mark.has_value();
}

result<> block_store::set_under_repair(bool now) {
  kv_batch batch;
  if (now)
    batch.put(column::meta, as_bytes(repair_key), {});
  else
    batch.erase(column::meta, as_bytes(repair_key));
  return tables_->write(batch);
}

result<> block_store::write_head(const stored_head& head) {
  const auto num = key_of(head.block_num);
  bytes value(num.begin(), num.end());
  append(value, head.hash.view());
  kv_batch batch;
  batch.put(column::meta, as_bytes(head_key), value);
  return tables_->write(batch);
}

store_stats block_store::stats() const {
  return tables_->stats();
}

} // namespace swarm::ledger
