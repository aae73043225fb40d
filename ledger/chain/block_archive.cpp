#include "ledger/chain/block_archive.hpp"

namespace swarm::ledger {

namespace {

/// Reads the parts of a block that the store has under its number; none when there is no such block.
result<std::optional<encoded_block>> read_parts(const block_store& store, std::uint64_t block_num) {
  encoded_block out;
  SWARM_TRY(auto header, store.header(block_num));
  if (!header) return std::optional<encoded_block>{};
  SWARM_TRY(auto body, store.body(block_num));
  SWARM_TRY(auto receipts, store.receipts(block_num));
  SWARM_TRY(auto outputs, store.outputs(block_num));
  if (!body || !receipts || !outputs)
    return fail(store_errc::damaged, "{}: block {} is incomplete; {}", store.dir().string(), block_num,
                damage_remedy);
  return std::optional<encoded_block>{
      {std::move(*header), std::move(*body), std::move(*receipts), std::move(*outputs)}};
}

/// Groups of index keys: a matching block has at least one key of each group.
std::vector<std::vector<log_key>> groups_of(const log_filter& filter) {
  std::vector<std::vector<log_key>> out;
  std::vector<log_key> group;
  for (const auto& who : filter.addresses)
    group.push_back(log_key::emitter(who));
  if (!group.empty()) out.push_back(std::move(group));
  for (std::size_t i = 0; i < filter.topics.size(); ++i) {
    group.clear();
    for (const auto& topic : filter.topics[i])
      group.push_back(log_key::topic(i, topic));
    if (!group.empty()) out.push_back(std::move(group));
  }
  if (out.empty()) out.push_back({log_key::any()});
  return out;
}

void append_hits(std::vector<log_hit>& to, const executed_block& block, const log_filter& filter) {
  std::uint64_t log_index = 0;
  for (std::size_t i = 0; i < block.outcomes.size(); ++i)
    for (const auto& log : block.outcomes[i].consensus.logs) {
      if (filter.matches(log))
        to.push_back({log, block.header.block_num, block.hash, block.txns[i].hash(), i, log_index});
      ++log_index;
    }
}

} // namespace

block_archive::block_archive(block_store& store, std::uint64_t chain_id, std::size_t cache_bytes_max)
    : store_(store), chain_id_(chain_id), cache_bytes_max_(cache_bytes_max) {}

namespace {

block_record record_with(const executed_block& block, const state_batch& state, const seal_record& seals,
                         std::span<const consensus_record> records) {
  auto record = block_archive::record_of(block, seals);
  record.state = &state;
  record.records = records;
  return record;
}

} // namespace

result<> block_archive::write(const block_ptr& block, const state_batch& state, const seal_record& seals,
                              std::span<const consensus_record> records, const stored_identity* identity) {
  SWARM_CHECK(store_.write_block(record_with(*block, state, seals, records), identity));
  keep(block);
  return {};
}

result<> block_archive::collect(const block_ptr& block, const state_batch& state, const seal_record& seals,
                                std::span<const consensus_record> records) {
  SWARM_CHECK(store_.collect_block(record_with(*block, state, seals, records)));
  keep(block);
  return {};
}

result<> block_archive::adopt(const block_ptr& block, const seal_record& seals,
                              std::span<const meta_note> notes, std::span<const consensus_record> records) {
  auto record = record_of(*block, seals);
  record.notes = notes;
  record.records = records;
  SWARM_CHECK(store_.write_block(record));
  keep(block);
  return {};
}

block_record block_archive::record_of(const executed_block& block, const seal_record& seals) {
  auto parts = encode_executed(block);
  block_record record;
  record.block_num = block.header.block_num;
  record.hash = block.hash;
  record.header = std::move(parts.header);
  record.body = std::move(parts.body);
  record.receipts = std::move(parts.receipts);
  record.outputs = std::move(parts.outputs);
  record.seals = encode_seals(seals);
  record.parent_seals = encode_seals(block.parent_seals);
  for (const auto& txn : block.txns)
    record.txn_hashes.push_back(txn.hash());
  for (const auto& outcome : block.outcomes)
    for (const auto& log : outcome.consensus.logs)
      append_log_keys(record.log_keys, log);
  return record;
}

result<block_ptr> block_archive::read(std::uint64_t block_num, bool with_senders) {
  SWARM_TRY(auto parts, read_parts(store_, block_num));
  if (!parts) return block_ptr{};
  auto block = decode_executed(*parts, chain_id_, with_senders);
  if (!block || (*block)->header.block_num != block_num)
    return fail(store_errc::damaged, "{}: block {} is unreadable{}{}; {}", store_.dir().string(), block_num,
                block ? "" : ": ", block ? "" : block.error().message, damage_remedy);
  return block_ptr(std::move(*block));
}

std::size_t block_archive::cache_bytes() const {
  const std::lock_guard lock(mutex_);
  return cached_bytes_;
}

block_ptr block_archive::cached(std::uint64_t block_num) {
  const std::lock_guard lock(mutex_);
  auto found = index_.find(block_num);
  if (found == index_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return found->second->block;
}

void block_archive::keep(block_ptr block) {
  auto block_num = block->header.block_num;
  auto size = memory_of(*block);
  const std::lock_guard lock(mutex_);
  if (auto old = index_.find(block_num); old != index_.end()) {
    cached_bytes_ -= old->second->size;
    recent_.erase(old->second);
    index_.erase(old);
  }
  recent_.push_front({std::move(block), size});
  index_.emplace(block_num, recent_.begin());
  cached_bytes_ += size;
  while (cached_bytes_ > cache_bytes_max_) {
    cached_bytes_ -= recent_.back().size;
    index_.erase(recent_.back().block->header.block_num);
    recent_.pop_back();
  }
}

result<block_ptr> block_archive::by_num(std::uint64_t block_num) {
  if (auto known = cached(block_num)) return known;
  SWARM_TRY(auto block, read(block_num, true));
  if (block) keep(block);
  return block;
}

result<block_ptr> block_archive::by_hash(const hash32& hash, std::uint64_t newest) {
  SWARM_TRY(auto block_num, store_.num_of(hash));
  if (!block_num || *block_num > newest) return block_ptr{};
  return by_num(*block_num);
}

result<block_header> block_archive::header_of(std::uint64_t block_num) {
  if (auto known = cached(block_num)) return known->header;
  SWARM_TRY(auto raw, store_.header(block_num));
  if (!raw) return fail(chain_errc::unknown_block, "block {} is not there", block_num);
  auto header = decode_header(*raw);
  if (!header)
    return fail(store_errc::damaged, "{}: header {} is unreadable: {}; {}", store_.dir().string(), block_num,
                header.error().message, damage_remedy);
  return header;
}

result<std::optional<txn_place>> block_archive::find_txn(const hash32& hash, std::uint64_t newest) {
  SWARM_TRY(auto place, store_.place_of(hash));
  if (!place || place->block_num > newest) return std::optional<txn_place>{};
  SWARM_TRY(auto block, by_num(place->block_num));
  if (!block || place->index >= block->txns.size() || block->txns[place->index].hash() != hash)
    return fail(store_errc::damaged, "{}: transaction {} is not where the index says; {}",
                store_.dir().string(), to_hex(hash.view()), damage_remedy);
  return std::optional<txn_place>{{std::move(block), place->index}};
}

result<std::optional<seal_record>> block_archive::seals_of(std::uint64_t block_num) {
  SWARM_TRY(auto raw, store_.seals(block_num));
  if (!raw) return std::optional<seal_record>{};
  SWARM_TRY(auto seals, decode_seals(*raw));
  return std::optional{std::move(seals)};
}

result<std::optional<sealed_block_bytes>> block_archive::sealed_bytes(std::uint64_t block_num) {
  SWARM_TRY(const auto header, store_.header(block_num));
  SWARM_TRY(const auto body, store_.body(block_num));
  SWARM_TRY(auto seals, store_.seals(block_num));
  if (!header || !body || !seals) return std::optional<sealed_block_bytes>{};
  SWARM_TRY(const auto list, rlp_decode(*body, "block body")); // rlp[txns, ommers, seals]
  rlp_writer whole(header->size() + body->size() + 9);
  whole.begin_list().encoded(*header).encoded(list.payload).end_list();
  return std::optional{sealed_block_bytes{whole.take(), std::move(*seals)}};
}

namespace {

std::size_t memory_of(std::span<const log_hit> hits) {
  std::size_t out = 0;
  for (const auto& hit : hits)
    out += sizeof(log_hit) + hit.entry.topics.size() * sizeof(hash32) + hit.entry.data.size();
  return out;
}

} // namespace

result<std::vector<log_hit>> block_archive::logs(const log_filter& filter, const chain_limits& limits,
                                                 log_query_work& work) {
  std::vector<log_hit> hits;
  std::size_t size = 0;
  std::string too_many;
  const auto take = [&](std::uint64_t block_num) -> result<bool> {
    if (++work.blocks_read > limits.log_blocks_max) {
      too_many = fmt::format("more than {} blocks may hold such logs", limits.log_blocks_max);
      return false;
    }
    auto block = cached(block_num);
    if (!block) {
      SWARM_TRY(block, read(block_num, false));
    }
    if (!block)
      return fail(store_errc::damaged, "{}: block {} of the log index is missing; {}", store_.dir().string(),
                  block_num, damage_remedy);
    const auto before = hits.size();
    append_hits(hits, *block, filter);
    size += memory_of(std::span(hits).subspan(before));
    if (size > limits.log_bytes_max)
      too_many = fmt::format("query returned more than {} bytes", limits.log_bytes_max);
    if (hits.size() > limits.logs_max)
      too_many = fmt::format("query returned more than {} results", limits.logs_max);
    return too_many.empty();
  };
  SWARM_TRY(work.reached, store_.scan_logs(filter.from_block, filter.to_block, groups_of(filter), take,
                                           limits.log_seeks_max, work.index_seeks));
  if (work.reached > filter.to_block) return hits;
  if (too_many.empty()) too_many = fmt::format("query needs more than {} look-ups", limits.log_seeks_max);
  return fail(chain_errc::too_many_logs, "{}, reached in block {} of {} to {}; ask for fewer blocks",
              too_many, work.reached, filter.from_block, filter.to_block);
}

} // namespace swarm::ledger
