#include "ledger/snapshot/chain_snapshots.hpp"

#include <algorithm>

namespace swarm::sync {

namespace {

/// Places of the log index that one question may cost.
constexpr std::size_t change_seeks_max = 20'000;
/// Blocks of which is remembered whether they changed the validators.
constexpr std::size_t changes_known_max = 16'384;

/// What the store and the head need to know of a block that others executed. Revert data is not part of what
/// a header vouches for, and is left out.
result<std::shared_ptr<ledger::executed_block>> executed(const verified_block& from, bool with_senders) {
  auto out = std::make_shared<ledger::executed_block>();
  out->hash = from.hash;
  out->header = from.content.header;
  out->txns = from.content.txns;
  out->parent_seals = from.content.parent_seals;
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

} // namespace

const ledger::snapshot_gaps& chain_snapshots::gaps() const {
  return port_.gaps();
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
  return port_.trie_node(hash);
}

result<bytes> chain_snapshots::code(const hash32& hash) const {
  return port_.code(hash);
}

result<> chain_snapshots::store_state(const ledger::state_batch& batch) {
  return port_.store_state(batch);
}

result<ledger::block_ptr> chain_snapshots::adopt(const verified_block& pivot,
                                                 std::span<const ledger::handover> changes) {
  SWARM_TRY(const ledger::block_ptr block, executed(pivot, true));
  return port_.adopt(block, pivot.seals, changes);
}

result<std::optional<missing_range>> chain_snapshots::youngest_missing() const {
  const auto& missing = gaps().blocks;
  if (missing.empty()) return std::optional<missing_range>{};
  const auto& range = missing.back();
  SWARM_TRY(const auto above, chain_.header_by_num(range.last + 1));
  if (!above) return fail(errc::corrupt, "block {} is missing", range.last + 1);
  SWARM_TRY(const auto seals, hash32::from_view(above->extra_data));
  return std::optional<missing_range>{{range.first, range.last, above->parent_hash, hash32(seals)}};
}

result<> chain_snapshots::store_past(std::span<const verified_block> blocks) {
  std::vector<ledger::chain::snapshot_port::past_block> past;
  for (const auto& each : blocks) {
    SWARM_TRY(ledger::block_ptr block, executed(each, false));
    past.push_back({std::move(block), each.seals});
  }
  return port_.store_past(past);
}

result<std::optional<sync::past_block>> chain_snapshots::past_block(std::uint64_t block_num) const {
  std::optional<sync::past_block> none;
  if (block_num > chain_.head()->header.block_num) return none;
  SWARM_TRY(auto block, port_.sealed_bytes(block_num));
  SWARM_TRY(auto receipts, port_.receipts(block_num));
  if (!block || !receipts) return none;
  return std::optional{
      sync::past_block{std::move(block->block), std::move(block->seals), std::move(*receipts)}};
}

result<bool> chain_snapshots::is_change(std::uint64_t block_num) const {
  if (const auto known = is_change_.find(block_num); known != is_change_.end()) return known->second;
  bool out = false;                                                     // a pivot is no change
  if (chain_.has_state(block_num) && chain_.has_state(block_num - 1)) { // else it was kept if it is one
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
  changes_found out;
  // Those that a snapshot skipped came with it.
  SWARM_TRY(const auto kept, port_.skipped_changes(after, max));
  for (const auto block_num : kept)
    if (block_num <= to) out.blocks.push_back(block_num);
  const bool all_kept = kept.size() < max || out.blocks.size() < kept.size();
  // The others are found by what they say, which they may say without a change.
  const auto look = [&](std::uint64_t block_num) -> result<bool> {
    SWARM_TRY(const bool changed, is_change(block_num));
    if (changed) out.blocks.push_back(block_num);
    return out.blocks.size() <= 2 * max; // with the last one looked at, at least `max` are certain
  };
  SWARM_TRY(const auto looked_to, port_.scan_topic(topic, after + 1, to, change_seeks_max, look));
  std::sort(out.blocks.begin(), out.blocks.end());
  out.blocks.erase(std::unique(out.blocks.begin(), out.blocks.end()), out.blocks.end());
  std::erase_if(out.blocks, [&](std::uint64_t each) { return each >= looked_to && looked_to <= to; });
  out.all = looked_to > to && out.blocks.size() <= max && all_kept;
  out.blocks.resize(std::min(out.blocks.size(), max));
  return out;
}

result<ledger::handover> chain_snapshots::handover_at(std::uint64_t block_num) const {
  SWARM_TRY(auto kept, port_.skipped_change(block_num));
  if (kept) return std::move(*kept);
  SWARM_TRY(const auto header, chain_.header_by_num(block_num));
  SWARM_TRY(auto seals, chain_.seals_of(block_num));
  if (!header || !seals) return fail(errc::not_found, "block {} is not here", block_num);
  SWARM_TRY(auto proof, chain_.prove_validators(block_num));
  return ledger::handover{{encode_header(*header), std::move(*seals)}, std::move(proof)};
}

result<ledger::trusted_block> chain_snapshots::trusted() const {
  const auto head_num = chain_.head()->header.block_num;
  SWARM_TRY(auto validators, chain_.validators_after(head_num));
  return ledger::trusted_block{head_num, std::move(validators)};
}

} // namespace swarm::sync
