#include "ledger/sync/snapshot_machine.hpp"

#include "base/hash.hpp"

#include <algorithm>

namespace swarm::sync {

namespace {

constexpr unsigned blanks_max = 3;

} // namespace

snapshot_machine::snapshot_machine(const snapshot_options& options, const ledger::chain_identity& of,
                                   ledger::trusted_block from, state_walk::presence stored, time_point now)
    : options_(options), of_(of), from_(std::move(from)), stored_(std::move(stored)),
      requests_(options.neighbor_requests, options.answer_wait), gather_until_(now + options.gather),
      last_progress_(now) {}

void snapshot_machine::set_neighbors(std::span<const neighbor_claim> neighbors, time_point now) {
  give_back(requests_.set_neighbors(neighbors));
  std::erase_if(inquiries_, [&](const auto& each) { // a proof stays one when its sender is gone
    return !each.second.found && std::none_of(neighbors.begin(), neighbors.end(), [&](auto& one) {
      return one.neighbor == each.first;
    });
  });
  schedule(now);
}

void snapshot_machine::on_part(neighbor_id neighbor, std::uint64_t tag, bytes_view answer, time_point now) {
  const auto asked = requests_.answered(neighbor, tag);
  if (!asked) return; // too late: somebody else was asked meanwhile
  switch (asked->what) {
  case subject::trust:
    on_proof(neighbor, answer, now);
    break;
  case subject::state:
    on_state(asked->parts, neighbor, answer, now);
    break;
  case subject::pivot:
    on_pivot(neighbor, answer, now);
    break;
  }
  schedule(now);
}

void snapshot_machine::on_stored(time_point now) {
  storing_ = false;
  last_progress_ = now;
  if (phase_ == phase::fetching && walk_->complete() && walk_->batch_bytes() == 0) phase_ = phase::arriving;
  schedule(now);
}

void snapshot_machine::on_adopted() {
  phase_ = phase::done;
}

void snapshot_machine::tick(time_point now) {
  for (auto& [neighbor, what] : requests_.expired(now)) {
    if (what.what == subject::trust)
      give_up_on(neighbor, false, fail(errc::timeout, "no proof of the validators in time").value());
    else
      note_blank(neighbor);
    std::vector<about> one;
    one.push_back(std::move(what));
    give_back(one);
  }
  const bool waits_for_neighbors = phase_ == phase::fetching || phase_ == phase::arriving;
  if (waits_for_neighbors && !storing_ && now - last_progress_ >= options_.stall_wait) stalled(now);
  schedule(now);
}

/// Neighbors that gave nothing at all are not asked again soon. If they are the only ones left, blocks are
/// fetched one after the other instead.
void snapshot_machine::stalled(time_point now) {
  for (const auto neighbor : requests_.trusted())
    if (!helped_.contains(neighbor))
      give_up_on(
          neighbor, false,
          fail(errc::timeout, "nothing of the state after block {} came from it", pivot_num()).value());
  start_over(
      fmt::format("nobody gives the state after block {} any more: looking for another pivot", pivot_num()),
      now);
}

std::string snapshot_machine::status() const {
  switch (phase_) {
  case phase::proving:
    if (pause_until_) return "neighbors prove chains that contradict each other; waiting";
    return fmt::format("snapshot: {} neighbors are asked to prove the validators", inquiries_.size());
  case phase::fetching:
    return fmt::format("snapshot of block {}: {} nodes, {} KiB, from {} neighbors", pivot_num(), parts_done(),
                       bytes_done() / 1024, neighbors());
  default:
    return fmt::format("snapshot of block {}: taking over", pivot_num());
  }
}

void snapshot_machine::schedule(time_point now) {
  if (failure_) return;
  switch (phase_) {
  case phase::proving:
    return seek_pivot(now);
  case phase::fetching:
    return ask_for_state(now);
  case phase::arriving:
    return ask_for_pivot(now);
  case phase::adopting:
  case phase::done:
    return;
  }
}

void snapshot_machine::ask(neighbor_id neighbor, about what, question as, time_point now) {
  const auto tag = requests_.ask(neighbor, std::move(what), now);
  actions_.emplace_back(action::ask_part{neighbor, tag, std::move(as)});
}

void snapshot_machine::give_back(const std::vector<about>& questions) {
  for (const auto& each : questions)
    for (const auto& part : each.parts)
      if (walk_) walk_->again(part);
}

void snapshot_machine::give_up_on(neighbor_id neighbor, bool lied, error why) {
  inquiries_.erase(neighbor);
  give_back(requests_.distrust(neighbor));
  actions_.emplace_back(action::useless{neighbor, lied, std::move(why)});
}

void snapshot_machine::note_blank(neighbor_id neighbor) {
  if (++blanks_[neighbor] >= blanks_max)
    give_up_on(neighbor, false,
               fail(errc::not_found, "it does not give the state after block {}", pivot_num()).value());
}

// The pivot

void snapshot_machine::seek_pivot(time_point now) {
  if (pause_until_ && now < *pause_until_) return;
  pause_until_.reset();
  while (inquiries_.size() < options_.trust_peers) {
    const auto fresh = [this](neighbor_id neighbor) { return !inquiries_.contains(neighbor); };
    const auto neighbor = requests_.free_neighbor(from_.block_num + 1, now, fresh);
    if (!neighbor) break;
    inquiries_.emplace(*neighbor,
                       inquiry{ledger::trust_chain(of_, from_), requests_.claim_of(*neighbor), {}, {}, {}});
    ask(*neighbor, {subject::trust, {}}, trust_question{from_.block_num}, now);
  }
  const auto found = static_cast<std::size_t>(std::count_if(
      inquiries_.begin(), inquiries_.end(), [](const auto& each) { return each.second.found.has_value(); }));
  if (found == 0) return;
  if (!first_proof_) first_proof_ = now;
  if (found < inquiries_.size() && now - *first_proof_ < options_.proof_wait) return;
  if (found >= options_.trust_peers || now >= gather_until_) choose(now);
}

void snapshot_machine::on_proof(neighbor_id neighbor, bytes_view raw, time_point now) {
  const auto found = inquiries_.find(neighbor);
  if (found == inquiries_.end()) return;
  auto answer = decode_trust_answer(raw);
  if (!answer) return give_up_on(neighbor, true, std::move(answer).error());
  if (answer->changes.empty() && !answer->pivot)
    return give_up_on(neighbor, false,
                      fail(errc::not_found, "it has no pivot after block {}", from_.block_num).value());
  if (auto taken = take_proof(found->second, std::move(*answer)); !taken) {
    const bool lied = !taken.error().is(errc::not_found) && !taken.error().is(errc::limit);
    return give_up_on(neighbor, lied, std::move(taken).error());
  }
  if (!found->second.found)
    ask(neighbor, {subject::trust, {}}, trust_question{found->second.trust.reached()}, now);
}

result<> snapshot_machine::take_proof(inquiry& with, trust_answer answer) const {
  for (auto& change : answer.changes) {
    SWARM_CHECK(with.trust.follow(change));
    with.changed[with.trust.reached()] = keccak256(change.block.header);
    with.changes.push_back(std::move(change));
    if (with.changes.size() > options_.changes_max)
      return fail(errc::limit, "the validators changed more than {} times", options_.changes_max);
  }
  if (!answer.pivot) return {};
  SWARM_TRY(auto header, with.trust.arrive(*answer.pivot));
  if (header.block_num + options_.pivot_distance_max < with.claim)
    return fail(errc::not_found, "its head was said to be block {}, it proves block {}", with.claim,
                header.block_num);
  const auto hash = keccak256(answer.pivot->block.header);
  with.found = offer{std::move(*answer.pivot), std::move(header), hash};
  return {};
}

/// Validators cannot have changed in two ways: as far as both proofs reach, the changes must be the same
/// blocks. A proof that is not complete yet counts too.
bool snapshot_machine::contradict(const inquiry& a, const inquiry& b) {
  const auto both_to = std::min(a.proved_to(), b.proved_to());
  const auto end_a = a.changed.upper_bound(both_to), end_b = b.changed.upper_bound(both_to);
  if (!std::equal(a.changed.begin(), end_a, b.changed.begin(), end_b)) return true;
  return a.found && b.found && a.proved_to() == b.proved_to() && a.found->hash != b.found->hash;
}

bool snapshot_machine::contradictory() const {
  for (auto a = inquiries_.begin(); a != inquiries_.end(); ++a)
    for (auto b = std::next(a); b != inquiries_.end(); ++b)
      if (contradict(a->second, b->second)) return true;
  return false;
}

void snapshot_machine::choose(time_point now) {
  if (contradictory()) {
    start_over("neighbors prove two chains, both sealed by quorums of validators this node has to trust: it "
               "follows neither; find out which validators signed both, and begin this node's data "
               "directory anew from an SN that you trust",
               now);
    pause_until_ = now + options_.stall_wait;
    return;
  }
  auto best = inquiries_.end();
  for (auto it = inquiries_.begin(); it != inquiries_.end(); ++it)
    if (it->second.found && (best == inquiries_.end() || it->second.proved_to() > best->second.proved_to()))
      best = it;
  pivot_ = std::move(best->second.found);
  changes_ = std::move(best->second.changes);
  inquiries_.clear();
  requests_.clear();
  phase_ = phase::fetching;
  last_progress_ = now;
  blanks_.clear();
  helped_.clear();
  walk_.emplace(pivot_->header.state_root, stored_);
  if (auto begun = walk_->begin(); !begun) failure_ = std::move(begun).error();
  store_when_due();
  schedule(now);
}

void snapshot_machine::start_over(std::string why, time_point now) {
  actions_.emplace_back(action::report{std::move(why)});
  requests_.clear();
  inquiries_.clear();
  first_proof_.reset();
  walk_.reset();
  pivot_.reset();
  changes_.clear();
  storing_ = false;
  phase_ = phase::proving;
  gather_until_ = now + options_.gather;
  last_progress_ = now;
}

// The state

void snapshot_machine::ask_for_state(time_point now) {
  while (!storing_ && walk_->to_ask() > 0) {
    if (walk_->waiting() > options_.waiting_parts_max && requests_.open() > 0) return;
    const auto neighbor = requests_.free_neighbor(pivot_num(), now);
    if (!neighbor) return;
    about what{subject::state, walk_->next(std::min(options_.nodes_asked, nodes_asked_max))};
    if (what.parts.empty()) return;
    state_question as;
    for (const auto& part : what.parts)
      (part.kind == part_kind::code ? as.codes : as.nodes).push_back(part.hash);
    ask(*neighbor, std::move(what), std::move(as), now);
  }
}

void snapshot_machine::on_state(const std::vector<state_part>& asked, neighbor_id neighbor, bytes_view raw,
                                time_point now) {
  auto answer = decode_state_answer(raw);
  std::set<hash32> wanted;
  for (const auto& part : asked)
    wanted.insert(part.hash);
  std::optional<error> wrong;
  if (!answer) wrong = answer.error();
  std::size_t came = 0;
  for (std::size_t i = 0; !wrong && i < answer->items.size(); ++i) {
    const auto hash = keccak256(answer->items[i]);
    if (wanted.erase(hash) == 0) {
      wrong = fail(errc::invalid, "state that was not asked for, {}", to_hex(hash.view())).value();
      break;
    }
    ++came;
    if (auto taken = walk_->take(hash, answer->items[i]); !taken) {
      failure_ = std::move(taken).error();
      return;
    }
  }
  for (const auto& part : asked)
    if (wanted.contains(part.hash)) walk_->again(part);
  if (came > 0) {
    last_progress_ = now;
    blanks_.erase(neighbor);
    helped_.insert(neighbor);
  }
  if (wrong) {
    give_up_on(neighbor, true, std::move(*wrong));
  } else if (came == 0) {
    requests_.rest(neighbor, now + options_.rest);
    note_blank(neighbor);
  }
  store_when_due();
}

void snapshot_machine::store_when_due() {
  if (storing_ || !walk_ || failure_ || phase_ != phase::fetching) return;
  if (walk_->complete() && walk_->batch_bytes() == 0) {
    phase_ = phase::arriving;
  } else if (walk_->complete() || walk_->batch_bytes() >= options_.batch_bytes) {
    storing_ = true;
    actions_.emplace_back(action::store_state{walk_->take_batch()});
  }
}

// The pivot's block

void snapshot_machine::ask_for_pivot(time_point now) {
  if (requests_.open() > 0) return;
  if (const auto neighbor = requests_.free_neighbor(pivot_num(), now))
    ask(*neighbor, {subject::pivot, {}}, history_question{pivot_num(), 1}, now);
}

void snapshot_machine::on_pivot(neighbor_id neighbor, bytes_view raw, time_point now) {
  auto answer = decode_history_answer(raw);
  if (!answer) return give_up_on(neighbor, true, std::move(answer).error());
  if (answer->blocks.size() > 1)
    return give_up_on(neighbor, true, fail(errc::invalid, "more blocks than it was asked for").value());
  if (answer->blocks.empty()) {
    requests_.rest(neighbor, now + options_.rest);
    return note_blank(neighbor);
  }
  auto block = check_past_block(answer->blocks.front(), pivot_num(), pivot_->hash, {}, of_.chain_id);
  if (!block) return give_up_on(neighbor, true, std::move(block).error());
  block->seals = pivot_->pivot.block.seals; // those that were checked
  phase_ = phase::adopting;
  actions_.emplace_back(action::adopt_pivot{pivot_->pivot, std::move(*block), std::move(changes_)});
}

} // namespace swarm::sync
