#include "ledger/sync/sync_machine.hpp"

#include <algorithm>

namespace swarm::sync {

void sync_machine::on_claim(peer_id peer, std::uint64_t block_num, time_point now) {
  peers_[peer].claim = block_num;
  schedule(now);
}

void sync_machine::on_peer_gone(peer_id peer, time_point now) {
  for (auto it = requests_.begin(); it != requests_.end();) {
    const auto next = std::next(it);
    if (it->second.peer == peer) drop_request(it);
    it = next;
  }
  peers_.erase(peer);
  schedule(now);
}

void sync_machine::on_blocks(peer_id peer, std::uint64_t first, std::vector<sealed_block> blocks,
                             time_point now) {
  const auto found = requests_.find(first);
  if (found == requests_.end() || found->second.peer != peer)
    return; // late: somebody else was asked meanwhile
  const auto count = found->second.count;
  drop_request(found);
  if (blocks.size() > count) {
    actions_.emplace_back(action::penalize{
        peer, fail(errc::invalid, "{} blocks for a question about {}", blocks.size(), count).value()});
    distrust(peer);
    return schedule(now);
  }
  if (blocks.empty()) {
    auto& claim = peers_[peer].claim;
    claim = std::min(claim, first - 1);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (first + i <= head_num_ || blocks_.contains(first + i)) continue;
    auto content = std::make_shared<const sealed_block>(std::move(blocks[i]));
    waiting_bytes_ += content->size();
    blocks_.emplace(first + i, waiting_block{peer, std::move(content)});
  }
  schedule(now);
}

void sync_machine::on_head(std::uint64_t head_num, bool import_done, time_point now) {
  head_num_ = std::max(head_num_, head_num);
  if (import_done) importing_.reset();
  schedule(now);
}

void sync_machine::on_import_failed(std::uint64_t block_num, bool blame, error why, time_point now) {
  const auto job = std::exchange(importing_, {});
  if (blame && job && block_num >= job->first && block_num - job->first < job->from.size()) {
    const auto peer = job->from[block_num - job->first];
    actions_.emplace_back(action::penalize{peer, std::move(why)});
    distrust(peer);
  }
  if (blame) return on_head(block_num - 1, false, now);
  head_num_ = std::max(head_num_, block_num - 1); // a disk that refuses is tried again by `tick`
}

void sync_machine::on_no_snapshot(peer_id peer, time_point now) {
  if (const auto found = peers_.find(peer); found != peers_.end()) found->second.no_snapshot = true;
  schedule(now);
}

void sync_machine::tick(time_point now) {
  for (auto it = requests_.begin(); it != requests_.end();) {
    const auto next = std::next(it);
    if (now - it->second.asked >= options_.answer_wait) {
      peers_.at(it->second.peer).rests_until = now + options_.answer_wait;
      drop_request(it);
    }
    it = next;
  }
  schedule(now);
}

std::vector<sync_action> sync_machine::take_actions() {
  return std::exchange(actions_, {});
}

std::uint64_t sync_machine::target() const {
  auto out = head_num_;
  for (const auto& [id, peer] : peers_)
    out = std::max(out, peer.claim);
  return out;
}

std::vector<peer_claim> sync_machine::claims() const {
  std::vector<peer_claim> out;
  for (const auto& [id, peer] : peers_)
    out.push_back({id, peer.claim});
  return out;
}

std::vector<peer_claim> sync_machine::snapshot_claims() const {
  std::vector<peer_claim> out;
  for (const auto& [id, peer] : peers_)
    if (options_.snapshot_gap > 0 && !peer.no_snapshot && peer.claim > head_num_
        && peer.claim - head_num_ > options_.snapshot_gap)
      out.push_back({id, peer.claim});
  return out;
}

std::string sync_machine::status(time_point now) const {
  if (!behind()) return "up to date";
  if (!snapshot_claims().empty())
    return fmt::format("behind by {} blocks, a snapshot is taken", target() - head_num_);
  if (requests_.empty() && blocks_.empty())
    return fmt::format("behind by {} blocks, nobody to ask", target() - head_num_);
  auto out = fmt::format("behind by {} blocks, {} waiting", target() - head_num_, blocks_.size());
  if (!requests_.empty()) {
    const auto& [first, oldest] = *std::min_element(
        requests_.begin(), requests_.end(), [](auto& a, auto& b) { return a.second.asked < b.second.asked; });
    out += fmt::format(", peer {} asked for block {} since {} s", oldest.peer, first,
                       std::chrono::duration_cast<std::chrono::seconds>(now - oldest.asked).count());
  }
  return out;
}

// -- what follows

void sync_machine::schedule(time_point now) {
  while (!blocks_.empty() && blocks_.begin()->first <= head_num_)
    drop_block(blocks_.begin());
  import_what_follows();
  ask_for_gaps(now);
}

void sync_machine::import_what_follows() {
  if (importing_) return;
  action::import_blocks todo{.first = head_num_ + 1, .blocks = {}};
  import_job job{.first = todo.first, .from = {}};
  for (auto it = blocks_.find(todo.first); it != blocks_.end() && it->first == todo.first + todo.blocks.size()
                                           && todo.blocks.size() < options_.import_blocks;
       ++it) {
    todo.blocks.push_back(it->second.content);
    job.from.push_back(it->second.from);
  }
  if (todo.blocks.empty()) return;
  importing_ = std::move(job);
  actions_.emplace_back(std::move(todo));
}

void sync_machine::ask_for_gaps(time_point now) {
  if (!snapshot_claims().empty()) return;
  const auto end = std::min(target(), head_num_ + options_.window_blocks) + 1;
  for (auto from = head_num_ + 1; from < end;) {
    const auto [first, room] = gap_from(from, end);
    if (room == 0) return;
    // However much waits: the block after the head is what everything else waits for.
    if (waiting_bytes_ >= options_.window_bytes && first != head_num_ + 1) return;
    const auto peer = peer_for(first, now);
    if (!peer) return; // nobody has more, or all are busy
    auto& state = peers_.at(*peer);
    const auto count = std::min({room, options_.range_blocks, state.claim - first + 1});
    requests_.emplace(first, request{*peer, count, now});
    ++state.requests;
    actions_.emplace_back(action::ask_range{*peer, first, count});
    from = first + count;
  }
}

std::pair<std::uint64_t, std::uint64_t> sync_machine::gap_from(std::uint64_t from, std::uint64_t end) const {
  const auto covered_until = [this](std::uint64_t at) { // the end of the request that covers `at`, or `at`
    auto after = requests_.upper_bound(at);
    if (after == requests_.begin()) return at;
    --after;
    return std::max(at, after->first + after->second.count);
  };
  while (from < end) {
    if (blocks_.contains(from)) {
      ++from;
    } else if (const auto covered = covered_until(from); covered > from) {
      from = covered;
    } else {
      auto stop = end;
      if (const auto next = requests_.lower_bound(from); next != requests_.end())
        stop = std::min(stop, next->first);
      if (const auto next = blocks_.lower_bound(from); next != blocks_.end())
        stop = std::min(stop, next->first);
      return {from, stop - from};
    }
  }
  return {end, 0};
}

std::optional<peer_id> sync_machine::peer_for(std::uint64_t block_num, time_point now) const {
  std::optional<peer_id> best;
  for (const auto& [id, peer] : peers_) {
    if (peer.claim < block_num || peer.requests >= options_.peer_requests) continue;
    if (peer.rests_until && now < *peer.rests_until) continue;
    if (!best || peer.requests < peers_.at(*best).requests) best = id;
  }
  return best;
}

void sync_machine::drop_request(std::map<std::uint64_t, request>::iterator which) {
  if (const auto peer = peers_.find(which->second.peer); peer != peers_.end()) --peer->second.requests;
  requests_.erase(which);
}

void sync_machine::drop_block(std::map<std::uint64_t, waiting_block>::iterator which) {
  waiting_bytes_ -= which->second.content->size();
  blocks_.erase(which);
}

void sync_machine::distrust(peer_id peer) {
  if (const auto found = peers_.find(peer); found != peers_.end()) found->second.claim = 0;
  for (auto it = blocks_.begin(); it != blocks_.end();) {
    const auto next = std::next(it);
    if (it->second.from == peer) drop_block(it);
    it = next;
  }
}

} // namespace swarm::sync
