#include "contracts/testing/naive_training.hpp"

#include <algorithm>
#include <optional>

// When a round is closed, who leads it, and how it ends.
namespace swarm::contracts {

std::vector<address> naive_training::order() const {
  std::vector<const member*> candidates;
  for (const auto* peer : in_round())
    if (peer->in->leads) candidates.push_back(peer);
  if (candidates.empty())
    for (const auto* peer : in_round())
      if (peer->in->model.weightage > 0) candidates.push_back(peer);
  // Around the table, from the seat behind the one that merged last.
  const auto last = merges_.find(round_ - 1);
  const auto begin = last == merges_.end() ? 0 : place_of(last->second.leader) + 1;
  std::vector<address> contributors;
  std::vector<address> others;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const auto& peer = members_[(begin + i) % members_.size()];
    if (std::find(candidates.begin(), candidates.end(), &peer) == candidates.end()) continue;
    (peer.in->model.weightage > 0 ? contributors : others).push_back(peer.view.account);
  }
  contributors.insert(contributors.end(), others.begin(), others.end());
  return contributors;
}

void naive_training::withdraw(member& peer) {
  peer.in.reset();
  peer.brought_model = false;
  votes_.erase(peer.view.account);
  if (round_ == 1 && contributors() == 0 && backing_ == 0) layout_ = {};
}

/// Whether the round being collected has waited for everyone it has to wait for.
bool naive_training::is_due() const {
  const auto in = in_round().size();
  const auto waited_for = count(peer_state::active) + count(peer_state::finished);
  const std::size_t enough = count(peer_state::active) == 0 ? 1 : min_peers_;
  return in > 0 && in >= enough && (in == waited_for || 2 * votes_.size() > in);
}

void naive_training::settle() {
  if (phase_ == round_phase::merging) return settle_votes_of_no_confidence();
  if (phase_ == round_phase::revealing && hidden() == 0) return end_reveals();
  if (phase_ != round_phase::collecting) return;
  const bool all_finished = count(peer_state::active) == 0 && count(peer_state::finished) > 0;
  const auto in = in_round();
  const bool news =
      std::any_of(in.begin(), in.end(), [](const auto* peer) { return peer->in->made_it_finished; });
  if (all_finished && !news && round_ > 1) return complete();
  if (!is_due()) return;
  if (contributors() > 0) {
    give_up_missing();
    hidden() > 0 ? open_reveals() : close();
  } else if (all_finished)
    complete();
  else if (std::all_of(in.begin(), in.end(),
                       [](const auto* peer) { return peer->view.state == peer_state::finished; })) {
    give_up_missing();
    complete();
  }
}

void naive_training::settle_votes_of_no_confidence() {
  std::map<organisation_id, std::vector<bool>> votes;
  for (const auto* peer : in_round())
    if (peer->view.state != peer_state::left && peer->view.account != leader_)
      votes[peer->in_organisation].push_back(suspects_.contains(peer->view.account));
  std::size_t against = 0;
  for (const auto& [organisation, own] : votes)
    if (2 * std::count(own.begin(), own.end(), true) > static_cast<std::ptrdiff_t>(own.size())) ++against;
  if (2 * against > votes.size()) succeed();
}

void naive_training::give_up_missing() {
  for (auto& peer : members_) {
    const bool waited_for = peer.view.state == peer_state::active || peer.view.state == peer_state::finished;
    if (!waited_for || peer.in) continue;
    peer.view.state = peer_state::absent;
    events.emplace_back(peer_absent{peer.view.account, generation_, round_});
  }
}

/// Of the terms that go around the table once: the first of the best leader. Whoever has left leads none.
std::optional<std::uint32_t> naive_training::term_from(std::uint32_t first, const address& present) const {
  const auto line = order();
  const auto aside = set_aside();
  std::optional<std::pair<int, std::uint32_t>> best;
  for (std::uint32_t i = 0; i < line.size(); ++i) {
    const auto& peer = members_[place_of(line[(first + i) % line.size()])];
    if (peer.view.state == peer_state::left) continue;
    const int rank = peer.view.account == present           ? 3
                     : is_barred(peer)                      ? 2
                     : aside.contains(peer.in_organisation) ? 1
                                                            : 0;
    if (!best || rank < best->first) best = {rank, first + i};
  }
  if (!best) return std::nullopt;
  return best->second;
}

void naive_training::close() {
  phase_ = round_phase::merging;
  while (term_ % order().size() != 0)
    ++term_;
  term_ = *term_from(term_, {});
  leader_ = order()[term_ % order().size()];
  events.emplace_back(round_closed{round_, generation_, leader_,
                                   static_cast<std::uint32_t>(in_round().size()),
                                   static_cast<std::uint32_t>(contributors())});
  open_shards();
}

void naive_training::next_round() {
  for (auto& peer : members_) {
    peer.in.reset();
    peer.pending.reset();
  }
  votes_.clear();
  suspects_.clear();
  proposals_ = ties_ = 0;
  shards_since_ = 0;
  questioned_ = {};
  accepted_at_[round_] = block_time;
  ++round_;
  term_ = 0;
  leader_ = {};
  phase_ = round_phase::collecting;
  if (count(peer_state::active) == 0 && count(peer_state::finished) > 0) complete();
}

void naive_training::succeed() {
  suspects_.clear();
  const auto term = term_from(term_ + 1, leader_);
  if (!term) return reopen();
  phase_ = round_phase::merging;
  term_ = *term;
  leader_ = order()[term_ % order().size()];
  events.emplace_back(leader_changed{round_, generation_, term_, leader_});
  open_shards();
}

void naive_training::reopen() {
  phase_ = round_phase::collecting;
  ++term_;
  leader_ = {};
  votes_.clear();
  suspects_.clear();
  for (auto& peer : members_)
    if (peer.in && (peer.view.state == peer_state::left || peer.view.state == peer_state::odd))
      withdraw(peer);
  events.emplace_back(round_reopened{round_, generation_});
  settle();
}

void naive_training::complete() {
  phase_ = round_phase::complete;
  term_ = 0;
  shards_since_ = 0;
  leader_ = {};
  votes_.clear();
  suspects_.clear();
  for (auto& peer : members_) {
    peer.in.reset();
    peer.pending.reset();
  }
  events.emplace_back(
      training_complete{round_ - 1, generation_, round_ == 1 ? hash32{} : merges_.at(round_ - 1).digest});
}

} // namespace swarm::contracts
