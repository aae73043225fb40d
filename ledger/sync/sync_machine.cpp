#include "ledger/sync/sync_machine.hpp"

#include <algorithm>
#include <numeric>

namespace swarm::sync {

namespace {

constexpr duration longest_back_off = std::chrono::hours(1);
constexpr std::size_t conducts_max = 1024;

} // namespace

void sync_machine::back_off::begin(time_point now, duration first) {
  if (on) return;
  wait = forgotten() ? first : std::min(2 * wait, std::max(first, longest_back_off));
  since = now;
  on = true;
}

void sync_machine::back_off::tick(time_point now) {
  if (now - since >= wait) on = false;
  if (now - since >= 9 * wait) wait = {};
}

void sync_machine::on_claim(neighbor_id neighbor, std::uint64_t block_num, time_point now) {
  auto& state = neighbors_[neighbor];
  state.claim = state.has_until = block_num;
  schedule(now);
}

void sync_machine::on_identity(neighbor_id neighbor, const hash32& identity) {
  neighbors_[neighbor].identity = identity;
}

/// A neighbor that leaves while it is asked counts as silent. Otherwise a liar could leave just before its
/// time is over, and come again.
void sync_machine::on_neighbor_gone(neighbor_id neighbor, time_point now) {
  const auto found = neighbors_.find(neighbor);
  if (found == neighbors_.end()) return;
  const auto& state = found->second;
  if (may_give_snapshot(neighbor, state))
    conduct_of(neighbor).no_snapshot.begin(now, options_.no_snapshot_wait);
  if (state.requests > 0) conduct_of(neighbor).slow.begin(now, options_.answer_wait);
  if (!state.identity) conducts_.erase(key_of(neighbor, state));
  for (auto it = requests_.begin(); it != requests_.end();) {
    const auto next = std::next(it);
    if (it->second.neighbor == neighbor) drop_request(it);
    it = next;
  }
  neighbors_.erase(neighbor);
  schedule(now);
}

void sync_machine::on_blocks(neighbor_id neighbor, std::uint64_t first, std::vector<sealed_block> blocks,
                             time_point now) {
  if (take_second_answer(neighbor, first, blocks, now)) return schedule(now);
  const auto found = requests_.find(first);
  if (found == requests_.end() || found->second.neighbor != neighbor)
    return; // too late: somebody else was asked meanwhile
  const auto count = found->second.count;
  const bool late = now - found->second.asked > options_.answer_wait / 4;
  drop_request(found);
  if (blocks.size() > count) {
    actions_.emplace_back(action::penalize{
        neighbor, fail(errc::invalid, "{} blocks for a question about {}", blocks.size(), count).value()});
    distrust(neighbor);
    return schedule(now);
  }
  const auto bytes = std::accumulate(blocks.begin(), blocks.end(), std::size_t{0},
                                     [](auto sum, const auto& block) { return sum + block.size(); });
  const bool little = blocks.size() < count && bytes < options_.answer_bytes_min;
  if (late || little) conduct_of(neighbor).slow.begin(now, options_.answer_wait);
  if (blocks.empty()) {
    auto& has_until = neighbors_[neighbor].has_until;
    has_until = std::min(has_until, first - 1);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i)
    keep(first + i, neighbor, std::move(blocks[i]));
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
    const auto neighbor = job->from[block_num - job->first];
    actions_.emplace_back(action::penalize{neighbor, std::move(why)});
    distrust(neighbor);
  }
  if (blame) return on_head(block_num - 1, false, now);
  head_num_ = std::max(head_num_, block_num - 1); // a disk that refuses is tried again by `tick`
}

void sync_machine::on_no_snapshot(neighbor_id neighbor, time_point now) {
  if (neighbors_.contains(neighbor)) conduct_of(neighbor).no_snapshot.begin(now, options_.no_snapshot_wait);
  schedule(now);
}

void sync_machine::on_pivot(std::optional<std::uint64_t> block_num, time_point now) {
  pivot_ = block_num;
  schedule(now);
}

void sync_machine::on_snapshot_taken(time_point now) {
  pivot_.reset();
  proof_waited_ = state_waited_ = {};
  for (auto& [who, each] : conducts_)
    each.no_snapshot = {};
  schedule(now);
}

void sync_machine::tick(time_point now) {
  for (auto it = requests_.begin(); it != requests_.end();) {
    const auto next = std::next(it);
    if (now - it->second.asked >= options_.answer_wait) pass_over(it, now);
    it = next;
  }
  for (auto& [who, each] : conducts_) {
    each.slow.tick(now);
    each.no_snapshot.tick(now);
  }
  std::erase_if(conducts_, [](const auto& each) {
    return each.second.slow.forgotten() && each.second.no_snapshot.forgotten();
  });
  schedule(now);
}

std::vector<sync_action> sync_machine::take_actions() {
  return std::exchange(actions_, {});
}

std::uint64_t sync_machine::target() const {
  auto out = head_num_;
  for (const auto& [id, neighbor] : neighbors_)
    out = std::max(out, may_give_snapshot(id, neighbor) ? neighbor.claim : neighbor.has_until);
  return out;
}

std::vector<neighbor_claim> sync_machine::claims() const {
  std::vector<neighbor_claim> out;
  for (const auto& [id, neighbor] : neighbors_)
    out.push_back({id, neighbor.claim});
  return out;
}

std::vector<neighbor_claim> sync_machine::snapshot_claims() const {
  std::vector<neighbor_claim> out;
  for (const auto& [id, neighbor] : neighbors_)
    if (may_give_snapshot(id, neighbor)) out.push_back({id, neighbor.claim});
  return out;
}

bool sync_machine::may_give_snapshot(neighbor_id neighbor, const neighbor_state& state) const {
  if (options_.snapshot_gap == 0 || state.claim <= head_num_) return false;
  if (state.claim - head_num_ <= options_.snapshot_gap) return false;
  const auto* known = known_conduct(neighbor, state);
  return known == nullptr || !known->no_snapshot.on;
}

hash32 sync_machine::key_of(neighbor_id neighbor, const neighbor_state& state) {
  if (state.identity) return *state.identity;
  hash32 out;
  put_be64(out.data(), neighbor);
  return out;
}

sync_machine::conduct& sync_machine::conduct_of(neighbor_id neighbor) {
  const auto key = key_of(neighbor, neighbors_.at(neighbor));
  if (conducts_.size() >= conducts_max && !conducts_.contains(key)) {
    const auto age = [](const auto& each) {
      return std::max(each.second.slow.since, each.second.no_snapshot.since);
    };
    conducts_.erase(std::min_element(conducts_.begin(), conducts_.end(),
                                     [&](const auto& a, const auto& b) { return age(a) < age(b); }));
  }
  return conducts_[key];
}

const sync_machine::conduct* sync_machine::known_conduct(neighbor_id neighbor,
                                                         const neighbor_state& state) const {
  const auto found = conducts_.find(key_of(neighbor, state));
  return found == conducts_.end() ? nullptr : &found->second;
}

std::string sync_machine::status(time_point now) const {
  if (!behind()) return "up to date";
  auto out = fmt::format("behind by {} blocks", target() - head_num_);
  if (pivot_)
    out += fmt::format(", a snapshot of block {} is taken", *pivot_);
  else if (!snapshot_claims().empty())
    out += ", a snapshot is looked for";
  if (paused()) return out;
  if (requests_.empty() && blocks_.empty()) return out + ", nobody to ask";
  out += fmt::format(", {} waiting", blocks_.size());
  if (!requests_.empty()) {
    const auto& [first, oldest] = *std::min_element(
        requests_.begin(), requests_.end(), [](auto& a, auto& b) { return a.second.asked < b.second.asked; });
    out += fmt::format(", neighbor {} asked for block {} since {} s", oldest.neighbor, first,
                       std::chrono::duration_cast<std::chrono::seconds>(now - oldest.asked).count());
  }
  return out;
}

// What follows

void sync_machine::schedule(time_point now) {
  while (!blocks_.empty() && blocks_.begin()->first <= head_num_)
    drop_block(blocks_.begin());
  import_what_follows();
  look_at_pause(now);
  ask_for_gaps(now);
  ask_another_for_next(now);
}

/// Executing blocks that a snapshot leaves out is a waste. But claims cost a liar nothing, so the time spent
/// waiting for them is counted and bounded, over all neighbors and connections.
void sync_machine::look_at_pause(time_point now) {
  if (pause_ == pause::proof) proof_waited_ += now - pause_seen_;
  if (pause_ == pause::state) state_waited_ += now - pause_seen_;
  pause_seen_ = now;
  pause_ = pause::none;
  const bool worth_it = pivot_ && *pivot_ > head_num_ && *pivot_ - head_num_ > options_.snapshot_gap / 2;
  if (worth_it && state_waited_ < options_.snapshot_state_wait)
    pause_ = pause::state;
  else if (!pivot_ && proof_waited_ < options_.snapshot_proof_wait && !snapshot_claims().empty())
    pause_ = pause::proof;
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
  if (paused()) return;
  const auto end = std::min(target(), head_num_ + options_.window_blocks) + 1;
  for (auto from = head_num_ + 1; from < end;) {
    const auto [first, room] = gap_from(from, end);
    if (room == 0) return;
    // The block after the head is asked for however much waits, as everything else waits for it.
    if (waiting_bytes_ >= options_.window_bytes && first != head_num_ + 1) return;
    const auto neighbor = neighbor_for(first, now);
    if (!neighbor) return; // nobody has more, or all are busy
    auto& state = neighbors_.at(*neighbor);
    const auto count = std::min({room, options_.range_blocks, state.has_until - first + 1});
    requests_.emplace(first, request{*neighbor, count, now});
    ++state.requests;
    actions_.emplace_back(action::ask_range{*neighbor, first, count});
    from = first + count;
  }
}

std::pair<std::uint64_t, std::uint64_t> sync_machine::gap_from(std::uint64_t from, std::uint64_t end) const {
  while (from < end) {
    if (blocks_.contains(from)) {
      ++from;
    } else if (const auto by = request_for(from); by != requests_.end()) {
      from = by->first + by->second.count;
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

void sync_machine::ask_another_for_next(time_point now) {
  const auto next = head_num_ + 1;
  if (second_.first != next) second_ = {next, {}, {}};
  const auto first_asked = request_for(next);
  if (first_asked == requests_.end()) return;
  const auto last = second_.asked.empty() ? first_asked->second.asked : second_.last;
  if (now - last < options_.second_opinion_wait) return;
  auto but = second_.asked;
  but.push_back(first_asked->second.neighbor);
  for (const auto& [id, neighbor] : neighbors_) // those far ahead do not vote on it, or lie
    if (neighbor.has_until > head_num_ + options_.close_blocks) but.push_back(id);
  const auto neighbor = neighbor_for(next, now, but);
  if (!neighbor) return;
  second_.asked.push_back(*neighbor);
  second_.last = now;
  actions_.emplace_back(action::ask_range{*neighbor, next, 1});
}

/// Takes the answer of a second neighbor. Those that were asked before and have not answered count as slow.
bool sync_machine::take_second_answer(neighbor_id neighbor, std::uint64_t first,
                                      std::vector<sealed_block>& blocks, time_point now) {
  const auto asked = std::find(second_.asked.begin(), second_.asked.end(), neighbor);
  if (first != second_.first || asked == second_.asked.end() || blocks.size() != 1) return false;
  const auto slow = request_for(first);
  if (slow == requests_.end() || slow->second.neighbor == neighbor) return false;
  pass_over(slow, now);
  keep(first, neighbor, std::move(blocks.front()));
  return true;
}

std::map<std::uint64_t, sync_machine::request>::const_iterator
sync_machine::request_for(std::uint64_t block_num) const {
  auto after = requests_.upper_bound(block_num);
  if (after == requests_.begin()) return requests_.end();
  --after;
  return block_num < after->first + after->second.count ? after : requests_.end();
}

/// A node that was slow or silent lately is asked only when no other neighbor has the block, even a busy one.
std::optional<neighbor_id> sync_machine::neighbor_for(std::uint64_t block_num, time_point now,
                                                      std::span<const neighbor_id> but) const {
  std::optional<neighbor_id> best, second_best;
  bool others_have_it = false;
  for (const auto& [id, neighbor] : neighbors_) {
    if (neighbor.has_until < block_num || std::find(but.begin(), but.end(), id) != but.end()) continue;
    const bool resting = neighbor.rests_until && now < *neighbor.rests_until;
    const auto* known = known_conduct(id, neighbor);
    const bool slow = known != nullptr && known->slow.on;
    if (!slow && !resting) others_have_it = true;
    if (resting || neighbor.requests >= options_.neighbor_requests) continue;
    auto& which = slow ? second_best : best;
    if (!which || neighbor.requests < neighbors_.at(*which).requests) which = id;
  }
  return best || others_have_it ? best : second_best;
}

void sync_machine::pass_over(std::map<std::uint64_t, request>::const_iterator which, time_point now) {
  neighbors_.at(which->second.neighbor).rests_until = now + options_.answer_wait;
  conduct_of(which->second.neighbor).slow.begin(now, options_.answer_wait);
  drop_request(which);
}

void sync_machine::drop_request(std::map<std::uint64_t, request>::const_iterator which) {
  if (const auto neighbor = neighbors_.find(which->second.neighbor); neighbor != neighbors_.end())
    --neighbor->second.requests;
  requests_.erase(which);
}

void sync_machine::keep(std::uint64_t block_num, neighbor_id from, sealed_block block) {
  if (block_num <= head_num_ || blocks_.contains(block_num)) return;
  auto content = std::make_shared<const sealed_block>(std::move(block));
  waiting_bytes_ += content->size();
  blocks_.emplace(block_num, waiting_block{from, std::move(content)});
}

void sync_machine::drop_block(std::map<std::uint64_t, waiting_block>::iterator which) {
  waiting_bytes_ -= which->second.content->size();
  blocks_.erase(which);
}

void sync_machine::distrust(neighbor_id neighbor) {
  if (const auto found = neighbors_.find(neighbor); found != neighbors_.end())
    found->second.claim = found->second.has_until = 0;
  for (auto it = blocks_.begin(); it != blocks_.end();) {
    const auto next = std::next(it);
    if (it->second.from == neighbor) drop_block(it);
    it = next;
  }
}

} // namespace swarm::sync
