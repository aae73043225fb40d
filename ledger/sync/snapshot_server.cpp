#include "ledger/sync/snapshot_server.hpp"

#include "ledger/sync/snapshot_wire.hpp"

#include <algorithm>

namespace swarm::sync {

using ledger::chain_snapshots;

namespace {

constexpr std::size_t item_overhead = 8; ///< of RLP
constexpr std::size_t answer_frame = 64;

class server {
public:
  server(ledger::chain& from, const hash32& change, std::size_t bytes_max, const server_options& options)
      : chain_(from), snapshots_(from), change_(change), bytes_max_(std::min(bytes_max, part_bytes_max)),
        options_(options) {}

  result<bytes> answer(const trust_question& asked) {
    trust_answer out;
    SWARM_TRY(const auto pivot, pivot_after(asked.after));
    if (!pivot) return encode(out);
    SWARM_TRY(const auto changes, snapshots_.changes(change_, asked.after, *pivot, changes_max));
    bool all = changes.all;
    for (const auto block_num : changes.blocks) {
      SWARM_TRY(auto item, snapshots_.handover_at(block_num));
      if (!fits(ledger::encode_handover(item).size()) && !out.changes.empty()) {
        all = false;
        break;
      }
      out.changes.push_back(std::move(item));
    }
    if (!all) return encode(out);
    SWARM_TRY(auto last, snapshots_.handover_at(*pivot));
    if (fits(ledger::encode_handover(last).size()) || out.changes.empty()) out.pivot = std::move(last);
    return encode(out);
  }

  result<bytes> answer(const state_question& asked) {
    state_answer out;
    for (const auto& [hashes, is_code] : {std::pair{&asked.nodes, false}, {&asked.codes, true}})
      for (const auto& hash : *hashes) {
        auto found = is_code ? snapshots_.code(hash) : snapshots_.node(hash);
        if (!found) continue;
        if (!fits(found->size()) && !out.items.empty()) return encode(out);
        out.items.push_back(std::move(*found));
      }
    return encode(out);
  }

  result<bytes> answer(const history_question& asked) {
    history_answer out;
    const auto head_num = chain_.head()->header.block_num;
    for (std::uint64_t i = 0; i < asked.count && i < asked.last && asked.last <= head_num; ++i) {
      auto block = snapshots_.past_block(asked.last - i);
      if (!block || (!fits(block->size()) && !out.blocks.empty())) break;
      if (used_ > part_bytes_max) break; // not even alone
      out.blocks.push_back(std::move(*block));
    }
    return encode(out);
  }

private:
  bool fits(std::size_t size) {
    used_ += size + item_overhead;
    return used_ + answer_frame <= bytes_max_;
  }

  /// A block near the head whose state is here and has the validators of the state before it.
  result<std::optional<std::uint64_t>> pivot_after(std::uint64_t after) {
    const auto head_num = chain_.head()->header.block_num;
    const auto none = std::optional<std::uint64_t>{};
    if (head_num < options_.pivot_lag) return none;
    auto at = (head_num - options_.pivot_lag) / options_.pivot_step * options_.pivot_step;
    if (snapshots_.gaps().lacks_state(at)) at = snapshots_.gaps().pivot_above(at);
    if (at <= after || at == 0) return none; // the blocks themselves are as quick
    for (; at <= head_num; ++at) {
      if (snapshots_.gaps().lacks_state(at - 1)) return std::optional{at}; // once a pivot, always one
      SWARM_TRY(const auto before, chain_.validators_after(at - 1));
      SWARM_TRY(const auto now, chain_.validators_after(at));
      if (before == now) return std::optional{at};
    }
    return none;
  }

  ledger::chain& chain_;
  chain_snapshots snapshots_;
  const hash32& change_;
  std::size_t bytes_max_;
  const server_options& options_;
  std::size_t used_ = 0;
};

} // namespace

result<bytes> answer_part(ledger::chain& from, const hash32& change, bytes_view raw, std::size_t bytes_max,
                          const server_options& options) {
  SWARM_TRY(const auto asked, decode_question(raw));
  server with(from, change, bytes_max, options);
  auto out = std::visit([&](const auto& what) { return with.answer(what); }, asked);
  if (out) return out;
  // This node cannot read its own store, which is no fault of the question.
  if (std::holds_alternative<trust_question>(asked)) return encode(trust_answer{});
  return std::holds_alternative<state_question>(asked) ? encode(state_answer{}) : encode(history_answer{});
}

} // namespace swarm::sync
