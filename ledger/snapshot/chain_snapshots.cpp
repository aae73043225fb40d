#include "ledger/snapshot/chain_snapshots.hpp"

#include "ledger/chain/chain_parts.hpp"

#include <charconv>

namespace swarm::ledger {

namespace {

/// Places of the log index that one question may cost.
constexpr std::size_t change_seeks_max = 20'000;
/// Blocks of which is remembered whether they changed the validators.
constexpr std::size_t changes_known_max = 16'384;

/// What the store and the head need to know of a block that others executed. Revert data is not part of what
/// a header vouches for, and is left out.
result<std::shared_ptr<executed_block>> executed(const sync::verified_block& from, bool with_senders) {
  auto out = std::make_shared<executed_block>();
  out->hash = from.hash;
  out->header = from.content.header;
  out->txns = from.content.txns;
  std::uint64_t before = 0;
  for (const auto& receipt : from.receipts) {
    if (receipt.cumulative_gas_used < before)
      return fail(errc::invalid, "block {}: gas that runs backwards", from.content.header.block_num);
    out->outcomes.push_back({receipt, receipt.cumulative_gas_used - before, {}});
    before = receipt.cumulative_gas_used;
  }
  complete(*out);
  if (with_senders)
    for (auto& txn : out->txns)
      SWARM_CHECK(txn.recover_sender());
  return out;
}

void add_range(std::vector<block_range>& to, std::uint64_t first, std::uint64_t last) {
  if (first <= last) to.push_back({first, last}); // they come in ascending order
}

result<std::uint64_t> block_of_note(std::string_view name) {
  name.remove_prefix(std::min(name.size(), handover_notes.size()));
  std::uint64_t out = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), out, 16);
  if (failure != std::errc{} || end != name.data() + name.size())
    return fail(errc::corrupt, "a change of validators is kept under the name {}", name);
  return out;
}

} // namespace

const snapshot_gaps& chain_snapshots::gaps() const {
  return chain_.parts_->gaps;
}

result<bool> chain_snapshots::has_node(const hash32& hash) const {
  const auto found = node(hash);
  if (!found && !found.error().is(errc::not_found)) return tl::unexpected(found.error());
  return found.has_value();
}

result<bool> chain_snapshots::has_code(const hash32& hash) const {
  const auto found = code(hash);
  if (!found && !found.error().is(errc::not_found)) return tl::unexpected(found.error());
  return found.has_value();
}

result<bytes> chain_snapshots::node(const hash32& hash) const {
  return chain_.parts_->store->trie_node(hash);
}

result<bytes> chain_snapshots::code(const hash32& hash) const {
  return chain_.parts_->store->code(hash);
}

result<void> chain_snapshots::store_state(const state_batch& batch) {
  SWARM_CHECK(chain_.parts_->recover_store());
  return chain_.parts_->store->write_state(batch);
}

result<block_ptr> chain_snapshots::adopt(const sync::verified_block& pivot,
                                         std::span<const handover> changes) {
  auto& parts = *chain_.parts_;
  SWARM_CHECK(parts.recover_store());
  if (parts.head->hash == pivot.hash) { // written by an attempt that seemed to fail
    SWARM_CHECK(parts.advance_pool_to_head());
    return parts.head;
  }
  const auto pivot_num = pivot.content.header.block_num, head_num = parts.head->header.block_num;
  if (pivot_num <= head_num)
    return fail(chain_rule::unknown_parent, "block {} is no snapshot for a chain that is at block {}",
                pivot_num, head_num);
  SWARM_TRY(const auto there,
            state_view(parts.state, pivot.content.header.state_root).account_of(system_account()));
  if (!there) return fail(errc::corrupt, "the state of the snapshot of block {} is not there", pivot_num);
  SWARM_TRY(const block_ptr block, executed(pivot, true));
  auto gaps = parts.gaps;
  add_range(gaps.blocks, head_num + 1, pivot_num - 1);
  add_range(gaps.states, head_num + 1, pivot_num - 1);
  std::vector<meta_note> notes{{std::string(gaps_note), encode_gaps(gaps)}};
  for (const auto& change : changes) {
    SWARM_TRY(const auto header, decode_header(change.block.header));
    if (header.block_num <= head_num) continue; // it came by itself while the snapshot was fetched
    notes.push_back({handover_note(header.block_num), encode_handover(change)});
  }
  std::vector<consensus_record> records;
  if (parts.options.pivot_records) records = parts.options.pivot_records(chain_, pivot_num);
  SWARM_CHECK(parts.blocks.adopt(block, pivot.seals, notes, records));
  parts.gaps = std::move(gaps);
  parts.head = block;
  parts.candidates.clear();
  parts.show();
  SWARM_CHECK(parts.advance_pool_to_head());
  return block;
}

result<std::optional<sync::missing_range>> chain_snapshots::youngest_missing() const {
  const auto& missing = gaps().blocks;
  if (missing.empty()) return std::optional<sync::missing_range>{};
  const auto& range = missing.back();
  SWARM_TRY(const auto above, chain_.header_by_num(range.last + 1));
  if (!above) return fail(errc::corrupt, "block {} is missing", range.last + 1);
  return std::optional<sync::missing_range>{{range.first, range.last, above->parent_hash}};
}

result<void> chain_snapshots::store_past(std::span<const sync::verified_block> blocks) {
  auto& parts = *chain_.parts_;
  SWARM_CHECK(parts.recover_store());
  auto gaps = parts.gaps;
  std::vector<block_record> records;
  for (const auto& each : blocks) {
    const auto block_num = each.content.header.block_num;
    if (gaps.blocks.empty() || gaps.blocks.back().last != block_num)
      return fail(errc::invalid, "block {} is not the next one that is missing", block_num);
    auto& range = gaps.blocks.back();
    if (range.first == range.last)
      gaps.blocks.pop_back();
    else
      --range.last;
    SWARM_TRY(const auto block, executed(each, false));
    records.push_back(block_archive::record_of(*block, each.seals));
  }
  const meta_note note{std::string(gaps_note), encode_gaps(gaps)};
  SWARM_CHECK(parts.store->write_past(records, {&note, 1}));
  parts.gaps = std::move(gaps);
  parts.show();
  return {};
}

result<std::optional<sync::past_block>> chain_snapshots::past_block(std::uint64_t block_num) const {
  const auto none = std::optional<sync::past_block>{};
  if (block_num > chain_.head()->header.block_num) return none;
  SWARM_TRY(auto block, chain_.parts_->blocks.sealed_bytes(block_num));
  SWARM_TRY(auto receipts, chain_.parts_->store->receipts(block_num));
  if (!block || !receipts) return none;
  return std::optional{
      sync::past_block{std::move(block->block), std::move(block->seals), std::move(*receipts)}};
}

// -- who sealed what

result<bool> chain_snapshots::is_change(std::uint64_t block_num) const {
  if (const auto known = is_change_.find(block_num); known != is_change_.end()) return known->second;
  bool out = false; // a pivot is no change
  if (!gaps().lacks_state(block_num) && !gaps().lacks_state(block_num - 1)) {
    SWARM_TRY(const auto before, chain_.validators_after(block_num - 1));
    SWARM_TRY(const auto now, chain_.validators_after(block_num));
    out = before != now;
  }
  if (is_change_.size() >= changes_known_max) is_change_.clear();
  is_change_.emplace(block_num, out);
  return out;
}

result<chain_snapshots::changes_found> chain_snapshots::changes(const hash32& topic, std::uint64_t after,
                                                                std::uint64_t to, std::size_t max) const {
  const auto& parts = *chain_.parts_;
  changes_found out;
  // Those that a snapshot skipped came with it.
  SWARM_TRY(const auto kept, parts.store->notes_after(handover_notes, handover_note(after), max));
  for (const auto& name : kept) {
    SWARM_TRY(const auto block_num, block_of_note(name));
    if (block_num <= to) out.blocks.push_back(block_num);
  }
  const bool all_kept = kept.size() < max || out.blocks.size() < kept.size();
  // The others are found by what they say, which they may say without a change.
  const std::vector<std::vector<log_key>> groups{{log_key::topic(0, topic)}};
  const auto look = [&](std::uint64_t block_num) -> result<bool> {
    SWARM_TRY(const bool changed, is_change(block_num));
    if (changed) out.blocks.push_back(block_num);
    return out.blocks.size() <= 2 * max; // with the last one looked at, at least `max` are certain
  };
  std::size_t seeks = 0;
  SWARM_TRY(const auto looked_to,
            parts.store->scan_logs(after + 1, to, groups, look, change_seeks_max, seeks));
  std::sort(out.blocks.begin(), out.blocks.end());
  out.blocks.erase(std::unique(out.blocks.begin(), out.blocks.end()), out.blocks.end());
  std::erase_if(out.blocks, [&](std::uint64_t each) { return each >= looked_to && looked_to <= to; });
  out.all = looked_to > to && out.blocks.size() <= max && all_kept;
  out.blocks.resize(std::min(out.blocks.size(), max));
  return out;
}

std::vector<std::uint64_t> chain_snapshots::skipped_changes(const sync::missing_range& range) const {
  std::vector<std::uint64_t> out;
  auto before = range.first;
  while (before > 0 && gaps().lacks_state(before))
    --before;
  out.push_back(before);
  const auto kept = chain_.parts_->store->notes_after(handover_notes, handover_note(before), SIZE_MAX);
  if (!kept) return out;
  for (const auto& name : *kept) {
    const auto block_num = block_of_note(name);
    if (block_num && *block_num <= range.last) out.push_back(*block_num);
  }
  return out;
}

result<handover> chain_snapshots::handover_at(std::uint64_t block_num) const {
  SWARM_TRY(const auto kept, chain_.parts_->store->note(handover_note(block_num)));
  if (kept) return decode_handover(*kept);
  SWARM_TRY(const auto header, chain_.header_by_num(block_num));
  SWARM_TRY(auto seals, chain_.seals_of(block_num));
  if (!header || !seals)
    return fail(errc::not_found, "block {} is not here, or without its seals", block_num);
  SWARM_TRY(auto proof, chain_.prove_validators(block_num));
  return handover{{encode_header(*header), std::move(*seals)}, std::move(proof)};
}

result<trusted_block> chain_snapshots::trusted() const {
  const auto head_num = chain_.head()->header.block_num;
  SWARM_TRY(auto validators, chain_.validators_after(head_num));
  return trusted_block{head_num, std::move(validators)};
}

} // namespace swarm::ledger
