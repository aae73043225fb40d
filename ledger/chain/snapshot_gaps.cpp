#include "ledger/chain/snapshot_gaps.hpp"

#include "ledger/chain/chain_rules.hpp"
#include "ledger/formats/rlp.hpp"

#include <algorithm>
#include <optional>

namespace swarm::ledger {

namespace {

constexpr std::uint64_t gaps_version = 1;

const block_range* range_of(const std::vector<block_range>& ranges, std::uint64_t block_num) {
  const auto found = std::find_if(ranges.begin(), ranges.end(), [&](const block_range& each) {
    return each.first <= block_num && block_num <= each.last;
  });
  return found == ranges.end() ? nullptr : &*found;
}

std::uint64_t count(const std::vector<block_range>& ranges) {
  std::uint64_t out = 0;
  for (const auto& each : ranges)
    out += each.last - each.first + 1;
  return out;
}

void write(rlp_writer& out, const std::vector<block_range>& ranges) {
  out.begin_list();
  for (const auto& each : ranges)
    out.begin_list().number(each.first).number(each.last).end_list();
  out.end_list();
}

result<std::vector<block_range>> read(rlp_reader& from, std::string_view what) {
  SWARM_TRY(auto list, from.list(what));
  std::vector<block_range> out;
  while (!list.at_end()) {
    SWARM_TRY(auto item, list.list("range"));
    block_range one;
    SWARM_TRY(one.first, item.number("first"));
    SWARM_TRY(one.last, item.number("last"));
    SWARM_CHECK(item.finish());
    if (one.first == 0 || one.last < one.first || (!out.empty() && one.first <= out.back().last))
      return fail(errc::corrupt, "{}: ranges that are empty or out of order", what);
    out.push_back(one);
  }
  return out;
}

} // namespace

bool snapshot_gaps::lacks_block(std::uint64_t block_num) const {
  return range_of(blocks, block_num) != nullptr;
}

bool snapshot_gaps::lacks_state(std::uint64_t block_num) const {
  return range_of(states, block_num) != nullptr;
}

bool snapshot_gaps::whole(std::uint64_t first, std::uint64_t last) const {
  return std::none_of(blocks.begin(), blocks.end(),
                      [&](const block_range& each) { return each.first <= last && first <= each.last; });
}

std::uint64_t snapshot_gaps::pivot_above(std::uint64_t block_num) const {
  const auto* range = range_of(states, block_num);
  return range == nullptr ? block_num : range->last + 1;
}

std::uint64_t snapshot_gaps::blocks_missing() const {
  return count(blocks);
}

std::uint64_t snapshot_gaps::blocks_skipped() const {
  return count(states);
}

bytes encode_gaps(const snapshot_gaps& gaps) {
  rlp_writer out;
  out.begin_list().number(gaps_version);
  write(out, gaps.blocks);
  write(out, gaps.states);
  return out.end_list().take();
}

result<snapshot_gaps> decode_gaps(bytes_view raw) {
  SWARM_TRY(auto from, rlp_reader::open(raw, "snapshot gaps"));
  SWARM_TRY(const auto version, from.number("version"));
  if (version != gaps_version)
    return fail(errc::corrupt, "snapshot gaps of version {}, this swarmd knows {}", version, gaps_version);
  snapshot_gaps out;
  SWARM_TRY(out.blocks, read(from, "missing blocks"));
  SWARM_TRY(out.states, read(from, "missing states"));
  SWARM_CHECK(from.finish());
  return out;
}

result<snapshot_gaps> stored_gaps(const block_store& store) {
  SWARM_TRY(const auto note, store.note(gaps_note));
  if (!note) return snapshot_gaps{};
  auto out = decode_gaps(*note);
  if (!out)
    return fail(store_errc::damaged, "{}: what is missing before the snapshot is unreadable: {}; {}",
                store.dir().string(), out.error().message, damage_remedy);
  return out;
}

error missing_block_error(const snapshot_gaps& gaps, std::uint64_t block_num) {
  const auto all = gaps.blocks_skipped();
  return fail(chain_errc::history_missing,
              "block {} is not here yet: history is being fetched, {} of {} blocks are here", block_num,
              all - std::min(all, gaps.blocks_missing()), all)
      .value();
}

error missing_state_error(const snapshot_gaps& gaps, std::uint64_t block_num) {
  return fail(
             chain_errc::state_missing,
             "missing trie node: no state of block {}, this node took a snapshot at block {}; ask an SN that "
             "has followed the chain from its beginning",
             block_num, gaps.pivot_above(block_num))
      .value();
}

error given_up_error(std::uint64_t block_num, std::uint64_t first) {
  return fail(chain_errc::state_missing,
              "missing trie node: no state of block {}, this node keeps states from block {} on "
              "(--keep-states); "
              "ask an SN that was started with --keep-states all",
              block_num, first)
      .value();
}

std::string handover_note(std::uint64_t block_num) {
  return fmt::format("{}{:016x}", handover_notes, block_num);
}

} // namespace swarm::ledger
