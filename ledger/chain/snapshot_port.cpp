#include "ledger/chain/snapshot_port.hpp"

#include "ledger/chain/chain_parts.hpp"

#include <charconv>

namespace swarm::ledger {

namespace {

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

/// Takes the last block off the youngest gap; it must be `block_num`.
result<> take_last(snapshot_gaps& gaps, std::uint64_t block_num) {
  if (gaps.blocks.empty() || gaps.blocks.back().last != block_num)
    return fail(errc::invalid, "block {} is not the next one that is missing", block_num);
  auto& range = gaps.blocks.back();
  if (range.first == range.last) {
    gaps.blocks.pop_back();
  } else {
    --range.last;
  }
  return {};
}

} // namespace

const snapshot_gaps& chain::snapshot_port::gaps() const {
  return parts_.gaps;
}

void chain::snapshot_port::hold_pruning(bool on) {
  parts_.pruner.hold(on);
}

result<bytes> chain::snapshot_port::trie_node(const hash32& hash) const {
  return parts_.store->trie_node(hash);
}

result<bytes> chain::snapshot_port::code(const hash32& hash) const {
  return parts_.store->code(hash);
}

result<> chain::snapshot_port::store_state(const state_batch& batch) {
  SWARM_CHECK(parts_.recover_store());
  return parts_.store->write_state(batch);
}

result<block_ptr> chain::snapshot_port::adopt(const block_ptr& pivot, const seal_record& seals,
                                              std::span<const handover> changes) {
  auto& parts = parts_;
  SWARM_CHECK(parts.recover_store());
  if (parts.head->hash == pivot->hash) { // written by an attempt that seemed to fail
    SWARM_CHECK(parts.advance_pool_to_head());
    return parts.head;
  }
  const auto pivot_num = pivot->header.block_num, head_num = parts.head->header.block_num;
  if (pivot_num <= head_num)
    return fail(chain_errc::unknown_parent, "block {} is no snapshot for a chain that is at block {}",
                pivot_num, head_num);
  SWARM_TRY(const auto there, state_view(parts.state, pivot->header.state_root).account_of(system_account()));
  if (!there) return fail(errc::corrupt, "the state of the snapshot of block {} is not there", pivot_num);
  auto gaps = parts.gaps;
  add_range(gaps.blocks, head_num + 1, pivot_num - 1);
  add_range(gaps.states, head_num + 1, pivot_num - 1);
  std::vector<meta_note> notes{{std::string(gaps_note), encode_gaps(gaps)}};
  for (const auto& change : changes) {
    SWARM_TRY(const auto header, decode_header(change.block.header));
    if (header.block_num <= head_num) continue; // this block came by itself while the snapshot was fetched
    notes.push_back({handover_note(header.block_num), encode_handover(change)});
  }
  std::vector<consensus_record> records;
  if (parts.options.pivot_records) records = parts.options.pivot_records(chain_, pivot_num);
  SWARM_CHECK(parts.blocks.adopt(pivot, seals, notes, records));
  parts.gaps = std::move(gaps);
  parts.head = pivot;
  parts.head_seals = seals;
  parts.pruner.begin_anew();
  parts.candidates.clear();
  parts.show();
  SWARM_CHECK(parts.advance_pool_to_head());
  return pivot;
}

result<> chain::snapshot_port::store_past(std::span<const past_block> blocks) {
  auto& parts = parts_;
  SWARM_CHECK(parts.recover_store());
  auto gaps = parts.gaps;
  std::vector<block_record> records;
  for (const auto& each : blocks) {
    SWARM_CHECK(take_last(gaps, each.block->header.block_num));
    records.push_back(block_archive::record_of(*each.block, each.seals));
  }
  const meta_note note{std::string(gaps_note), encode_gaps(gaps)};
  SWARM_CHECK(parts.store->write_past(records, {&note, 1}));
  parts.gaps = std::move(gaps);
  parts.show();
  return {};
}

result<std::optional<sealed_block_bytes>> chain::snapshot_port::sealed_bytes(std::uint64_t block_num) const {
  return parts_.blocks.sealed_bytes(block_num);
}

result<std::optional<bytes>> chain::snapshot_port::receipts(std::uint64_t block_num) const {
  return parts_.store->receipts(block_num);
}

result<std::vector<std::uint64_t>> chain::snapshot_port::skipped_changes(std::uint64_t after,
                                                                         std::size_t max) const {
  SWARM_TRY(const auto names, parts_.store->notes_after(handover_notes, handover_note(after), max));
  std::vector<std::uint64_t> out;
  for (const auto& name : names) {
    SWARM_TRY(const auto block_num, block_of_note(name));
    out.push_back(block_num);
  }
  return out;
}

result<std::optional<handover>> chain::snapshot_port::skipped_change(std::uint64_t block_num) const {
  SWARM_TRY(const auto kept, parts_.store->note(handover_note(block_num)));
  if (!kept) return std::optional<handover>{};
  SWARM_TRY(auto out, decode_handover(*kept));
  return std::optional(std::move(out));
}

result<std::uint64_t>
chain::snapshot_port::scan_topic(const hash32& topic, std::uint64_t from, std::uint64_t to,
                                 std::size_t seeks_max,
                                 const std::function<result<bool>(std::uint64_t)>& found) const {
  const std::vector<std::vector<log_key>> groups{{log_key::topic(0, topic)}};
  std::size_t seeks = 0;
  return parts_.store->scan_logs(from, to, groups, found, seeks_max, seeks);
}

} // namespace swarm::ledger
