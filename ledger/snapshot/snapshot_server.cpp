#include "ledger/snapshot/snapshot_server.hpp"

#include "ledger/sync/snapshot_wire.hpp"

#include <algorithm>

namespace swarm::sync {

namespace {

constexpr std::size_t item_overhead = 8; ///< of RLP
constexpr std::size_t answer_frame = 64;

constexpr std::size_t pivots_kept = 4;
constexpr std::size_t neighbors_paced_max = 1024;

} // namespace

class snapshot_server::one_answer {
public:
  one_answer(snapshot_server& from, std::size_t bytes_max)
      : from_(from), bytes_max_(std::min(bytes_max, part_bytes_max)) {}

  result<bytes> answer(const trust_question& asked) {
    trust_answer out;
    SWARM_TRY(const auto pivot, from_.pivot_after(asked.after));
    if (!pivot) return encode(out);
    SWARM_TRY(const auto changes, from_.snapshots_.changes(from_.change_, asked.after, *pivot, changes_max));
    for (const auto block_num : changes.blocks) {
      SWARM_TRY(const auto* item, from_.handover_at(block_num));
      if (!fits(item->size) && !out.changes.empty()) return encode(out);
      out.changes.push_back(item->item);
    }
    if (!changes.all) return encode(out);
    SWARM_TRY(const auto* last, from_.handover_at(*pivot));
    if (fits(last->size) || out.changes.empty()) out.pivot = last->item;
    return encode(out);
  }

  result<bytes> answer(const state_question& asked) {
    state_answer out;
    for (const auto& [hashes, is_code] : {std::pair{&asked.nodes, false}, {&asked.codes, true}})
      for (const auto& hash : *hashes) {
        auto found = is_code ? from_.snapshots_.code(hash) : from_.snapshots_.node(hash);
        if (!found) continue;
        if (!fits(found->size()) && !out.items.empty()) return encode(out);
        out.items.push_back(std::move(*found));
      }
    return encode(out);
  }

  result<bytes> answer(const history_question& asked) {
    history_answer out;
    for (std::uint64_t i = 0; i < asked.count && i < asked.last; ++i) {
      auto found = from_.snapshots_.past_block(asked.last - i);
      if (!found || !*found || (!fits((*found)->size()) && !out.blocks.empty())) break;
      if (used_ > part_bytes_max) break; // not even alone
      out.blocks.push_back(std::move(**found));
    }
    return encode(out);
  }

private:
  bool fits(std::size_t size) {
    used_ += size + item_overhead;
    return used_ + answer_frame <= bytes_max_;
  }

  snapshot_server& from_;
  std::size_t bytes_max_;
  std::size_t used_ = 0;
};

/// A block near the head whose state is here and has the validators of the state before it.
result<std::optional<std::uint64_t>> snapshot_server::pivot_after(std::uint64_t after) {
  const auto head_num = chain_.head()->header.block_num;
  const auto none = std::optional<std::uint64_t>{};
  if (head_num < options_.pivot_lag) return none;
  const auto& gaps = snapshots_.gaps();
  auto at = (head_num - options_.pivot_lag) / options_.pivot_step * options_.pivot_step;
  if (gaps.lacks_state(at)) at = gaps.pivot_above(at);
  if (at <= after || at == 0) return none; // the blocks themselves are as quick
  const auto first = at;
  if (const auto known = pivots_.find(first); known != pivots_.end()) return std::optional{known->second};
  for (; at <= head_num; ++at) {
    bool good = gaps.lacks_state(at - 1); // once a pivot, always one
    if (!good) {
      SWARM_TRY(const auto before, chain_.validators_after(at - 1));
      SWARM_TRY(const auto now, chain_.validators_after(at));
      good = before == now;
    }
    if (!good) continue;
    pivots_.emplace(first, at);
    if (pivots_.size() > pivots_kept) pivots_.erase(pivots_.begin());
    return std::optional{at};
  }
  return none;
}

result<const snapshot_server::proved*> snapshot_server::handover_at(std::uint64_t block_num) {
  if (const auto known = kept_.find(block_num); known != kept_.end()) return &known->second;
  SWARM_TRY(auto item, snapshots_.handover_at(block_num));
  const auto size = ledger::encode_handover(item).size();
  while (!kept_order_.empty() && kept_bytes_ + size > options_.kept_bytes_max) {
    const auto oldest = kept_.find(kept_order_.front());
    kept_bytes_ -= oldest->second.size;
    kept_.erase(oldest);
    kept_order_.pop_front();
  }
  kept_bytes_ += size;
  kept_order_.push_back(block_num);
  return &kept_.emplace(block_num, proved{std::move(item), size}).first->second;
}

result<bytes> snapshot_server::answer(bytes_view raw, std::size_t bytes_max) {
  SWARM_TRY(const auto asked, decode_question(raw));
  one_answer with(*this, bytes_max);
  auto out = std::visit([&](const auto& what) { return with.answer(what); }, asked);
  if (out) return out;
  // This node cannot read its own store, which is no fault of the question.
  if (std::holds_alternative<trust_question>(asked)) return encode(trust_answer{});
  return std::holds_alternative<state_question>(asked) ? encode(state_answer{}) : encode(history_answer{});
}

result<bytes> answer_part(ledger::chain& from, const hash32& change, bytes_view raw, std::size_t bytes_max,
                          const server_options& options) {
  return snapshot_server(from, change, options).answer(raw, bytes_max);
}

// -- how much of a thread

duration part_pacer::wait_of(neighbor_id neighbor, time_point now) const {
  const auto own = paid_until_.find(neighbor);
  const auto until = own == paid_until_.end() ? all_paid_until_ : std::max(own->second, all_paid_until_);
  return std::max(duration::zero(), until - now);
}

void part_pacer::charge(neighbor_id neighbor, duration took, time_point now) {
  charge(all_paid_until_, took, options_.all_share, now);
  charge(paid_until_.try_emplace(neighbor, now - options_.saved).first->second, took, options_.neighbor_share,
         now);
  if (paid_until_.size() <= neighbors_paced_max) return;
  std::erase_if(paid_until_, [&](const auto& each) { return each.second <= now - options_.saved; });
  if (paid_until_.size() > neighbors_paced_max)
    paid_until_.erase(paid_until_.begin()); // all_share still holds
}

void part_pacer::charge(time_point& account, duration took, double share, time_point now) const {
  const auto price = std::chrono::duration<double>(took) / share;
  account = std::max(account, now - options_.saved) + std::chrono::duration_cast<duration>(price);
}

} // namespace swarm::sync
