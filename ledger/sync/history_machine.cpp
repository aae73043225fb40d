#include "ledger/sync/history_machine.hpp"

#include <algorithm>

namespace swarm::sync {

void history_machine::set_neighbors(std::span<const neighbor_claim> neighbors, time_point now) {
  requests_.set_neighbors(neighbors);
  schedule(now);
}

void history_machine::on_part(neighbor_id neighbor, std::uint64_t tag, bytes_view raw, time_point now) {
  const auto asked = requests_.answered(neighbor, tag);
  if (!asked) return;
  auto answer = decode_history_answer(raw);
  if (!answer) {
    give_up_on(neighbor, true, std::move(answer).error());
  } else if (answer->blocks.size() > asked->count) {
    give_up_on(neighbor, true, fail(errc::invalid, "more blocks than it was asked for").value());
  } else if (answer->blocks.empty()) {
    requests_.rest(neighbor, now + options_.rest);
  } else if (asked->last <= next_ && !waiting_.contains(asked->last)) {
    auto& range = waiting_[asked->last];
    range.from = neighbor;
    range.blocks = std::move(answer->blocks);
    for (const auto& block : range.blocks)
      range.size += block.size();
    waiting_bytes_ += range.size;
  }
  schedule(now);
}

void history_machine::on_stored(time_point now) {
  storing_ = false;
  schedule(now);
}

void history_machine::tick(time_point now) {
  requests_.expired(now);
  schedule(now);
}

void history_machine::schedule(time_point now) {
  if (!other_parent_) store_what_follows();
  if (!other_parent_) ask_for_gaps(now);
}

void history_machine::store_what_follows() {
  if (storing_ || next_ < first_) return;
  const auto found = waiting_.find(next_);
  if (found == waiting_.end()) return;
  action::store_past out;
  const auto from = found->second.from;
  std::optional<error> wrong;
  for (const auto& raw : found->second.blocks) {
    if (next_ < first_) break;
    auto block = check_past_block(raw, next_, next_hash_, next_seals_, chain_id_);
    if (!block) {
      wrong = std::move(block).error();
      break;
    }
    if (next_ == first_ && block->content.header.parent_hash != below_) {
      other_parent_ = block->content.header.parent_hash;
      return;
    }
    next_hash_ = block->content.header.parent_hash;
    next_seals_ = ledger::hash_of_seals(block->content.parent_seals);
    --next_; // block 0 is never missing, so this stays a number
    out.blocks.push_back(std::move(*block));
  }
  drop(found);
  if (wrong) give_up_on(from, true, std::move(*wrong));
  if (out.blocks.empty()) return;
  storing_ = true;
  actions_.emplace_back(std::move(out));
}

std::uint64_t history_machine::covered(std::uint64_t last) const {
  std::uint64_t out = 0;
  if (const auto found = waiting_.find(last); found != waiting_.end()) out = found->second.blocks.size();
  requests_.each([&](neighbor_id, const asked_range& each) {
    if (each.last == last) out = std::max(out, each.count);
  });
  return out;
}

void history_machine::ask_for_gaps(time_point now) {
  auto last = next_;
  for (std::size_t ranges = 0; ranges < options_.ranges && last >= first_ && last != 0; ++ranges) {
    auto count = covered(last);
    if (count == 0) {
      if (waiting_bytes_ >= options_.waiting_bytes_max && last != next_) return;
      count = std::min(options_.range_blocks, last - first_ + 1);
      for (auto lower = last; lower-- > last - count + 1;) // a block that is covered already ends the range
        if (covered(lower) > 0) count = last - lower;
      const auto neighbor = requests_.free_neighbor(last, now);
      if (!neighbor) return;
      const auto tag = requests_.ask(*neighbor, asked_range{last, count}, now);
      actions_.emplace_back(action::ask_part{*neighbor, tag, history_question{last, count}});
    }
    if (count > last) return;
    last -= count;
  }
}

void history_machine::drop(std::map<std::uint64_t, waiting_range>::iterator which) {
  waiting_bytes_ -= which->second.size;
  waiting_.erase(which);
}

void history_machine::give_up_on(neighbor_id neighbor, bool lied, error why) {
  requests_.distrust(neighbor);
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto next = std::next(it);
    if (it->second.from == neighbor) drop(it);
    it = next;
  }
  actions_.emplace_back(action::useless{neighbor, lied, std::move(why)});
}

} // namespace swarm::sync
