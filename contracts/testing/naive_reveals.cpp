#include "contracts/testing/naive_training.hpp"
#include "contracts/training/commitment.hpp"

#include <algorithm>

// Commitments, and how they are opened.
namespace swarm::contracts {

bool naive_training::is_doubted(const member& peer) const {
  return round_ < peer.trusted_from;
}

std::size_t naive_training::hidden() const {
  const auto in = in_round();
  return static_cast<std::size_t>(
      std::count_if(in.begin(), in.end(), [](const auto* peer) { return peer->in->hides(); }));
}

void naive_training::tell_check_in(const member& peer, const check_in_args& args) {
  events.emplace_back(checked_in{peer.view.account, round_, generation_, args.commitment, args.size,
                                 args.weightage, args.base_round, args.finished || peer.over});
}

void naive_training::pend(member& peer, const check_in_args& args) {
  if (peer.in) withdraw(peer);
  if (peer.view.state == peer_state::none)
    peer.view.state = peer.over ? peer_state::finished : peer_state::active;
  peer.view.last_round = round_;
  peer.brought_model = true;
  peer.pending = args;
  tell_check_in(peer, args);
}

/// Whether another one had revealed the same before this peer had to have committed to it.
bool naive_training::is_copy(const member& peer, const hash32& digest) {
  const auto stage = phase_ == round_phase::revealing ? stages_ : 0;
  const auto known = first_reveals_.find(digest);
  if (known != first_reveals_.end() && known->second.round_num == round_
      && known->second.by != peer.view.account) {
    const auto* owner = find(known->second.by);
    const bool brings_it =
        owner->in && owner->in->model.weightage > 0 && owner->in->revealed && owner->in->digest == digest;
    if (brings_it) {
      const bool together = known->second.stage == stage && stage > 0;
      return !together && !(merges_.contains(round_ - 1) && merges_.at(round_ - 1).digest == digest);
    }
  }
  first_reveals_[digest] = {round_, stage, peer.view.account};
  return false;
}

bool naive_training::call(const address& caller, const reveal_args& args) {
  auto* peer = find(caller);
  if (peer == nullptr || peer->view.state == peer_state::left) return false;
  if (args.generation != generation_ || args.round_num != round_ || args.digest.is_zero()) return false;
  const bool early = !peer->in && peer->pending && phase_ == round_phase::collecting;
  const bool in_time = peer->in && peer->in->hides() && phase_ == round_phase::revealing;
  if (!early && !in_time) return false;
  const auto& model = early ? *peer->pending : peer->in->model;
  const opening what{args.digest, args.salt, args.seed_hash};
  if (commitment_of(caller, generation_, round_, what) != model.commitment) return false;
  const bool counts = !is_copy(*peer, args.digest);
  if (early) enter(*peer, check_in_args(*peer->pending));
  auto& in = *peer->in;
  in.revealed = true;
  in.digest = args.digest;
  in.seed_hash = args.seed_hash;
  if (!counts) {
    in.model.weightage = 0;
    in.model.size = 0;
    peer->brought_model = false;
  }
  events.emplace_back(revealed{caller, round_, generation_, args.digest, in.model.size, in.model.weightage,
                               in.model.base_round, args.seed_hash});
  settle();
  return true;
}

bool naive_training::call(const address& caller, const close_reveals_args& args) {
  const auto* peer = find(caller);
  if (peer == nullptr || peer->view.state == peer_state::left) return false;
  if (args.generation != generation_ || args.round_num != round_ || phase_ != round_phase::revealing)
    return false;
  if (block_time < reveals_end_) return false;
  end_reveals();
  return true;
}

void naive_training::open_reveals() {
  phase_ = round_phase::revealing;
  reveals_end_ = block_time + reveal_seconds;
  ++stages_;
  events.emplace_back(
      reveals_opened{round_, generation_, reveals_end_, static_cast<std::uint32_t>(in_round().size())});
}

void naive_training::end_reveals() {
  const std::size_t enough = count(peer_state::active) == 0 ? 1 : min_peers_;
  const bool goes_on = in_round().size() - hidden() >= enough && contributors() > hidden();
  std::size_t withholding = 0;
  for (auto& peer : members_)
    if (peer.in && peer.in->hides() && withholding++ < withheld_at_once_max) withhold(peer, goes_on);
  if (withholding > withheld_at_once_max) return;
  goes_on ? close() : reopen();
}

void naive_training::withhold(member& peer, bool goes_on) {
  if (peer.in->made_it_finished) peer.over = false;
  withdraw(peer);
  if (goes_on)
    peer.view.state = peer_state::absent;
  else if (!peer.over)
    peer.view.state = peer_state::active;
  peer.withheld = std::min(peer.withheld + 1, 16u);
  peer.trusted_from = round_ + 1 + (std::uint64_t{1} << peer.withheld);
  events.emplace_back(withheld{peer.view.account, round_, generation_, peer.trusted_from});
}

} // namespace swarm::contracts
