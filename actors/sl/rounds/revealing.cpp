#include "actors/sl/rounds/arithmetic.hpp"
#include "actors/sl/rounds/opening.hpp"
#include "actors/sl/rounds/peer_machine.hpp"

#include <algorithm>

// A check-in commits to a model; which one it is, is revealed when the round is closed to others.
namespace swarm::rounds {

void peer_machine::go_on(session& s, revealing& phase, time_point now) {
  if (!s.request || loads_first(s, now)) return;
  const auto* own = find_check_in(*view_, options_.self);
  const bool has_to = own != nullptr && own->weightage > 0 && own->digest.is_zero();
  if (has_to && reveal(s)) return;
  wait_for_reveals(s, phase, now);
}

/// What this node has committed to: its program's model, or the last merge that it passes on.
std::optional<hash32> peer_machine::committed_digest(const session& s) const {
  const auto* own = find_check_in(*view_, options_.self);
  if (own == nullptr) return s.training.committed;
  for (const auto& digest : {s.request->model.digest, view_->head.merged_digest})
    if (commitment_to(s, digest) == own->commitment) return digest;
  return std::nullopt;
}

hash32 peer_machine::commitment_to(const session& s, const hash32& digest) const {
  const auto& head = view_->head;
  return contracts::commitment_of(
      options_.self, head.generation, head.round_num,
      opening_of(options_.secret, s.contract, head.generation, head.round_num, digest));
}

/// True when this node has to, and does.
bool peer_machine::reveal(session& s) {
  const auto& head = view_->head;
  if (s.training.marks.revealed == round_and_term{head.round_num, head.term}) return false;
  const auto digest = committed_digest(s);
  if (!digest) {
    s.training.marks.revealed = {head.round_num, head.term};
    act(action::note{true,
                     fmt::format("round {}: this node does not have what it has committed to any more, and "
                                 "cannot reveal it",
                                 head.round_num)});
    return false;
  }
  const auto what = opening_of(options_.secret, s.contract, head.generation, head.round_num, *digest);
  send(s, calls::kind::reveal,
       contracts::encode(
           contracts::reveal_args{head.generation, head.round_num, what.digest, what.salt, what.seed_hash}),
       fmt::format("reveal the model of round {}", head.round_num));
  return true;
}

void peer_machine::wait_for_reveals(session& s, revealing& phase, time_point now) {
  const auto& head = view_->head;
  peer_list missing;
  for (const auto& in : view_->check_ins)
    if (in.weightage > 0 && in.digest.is_zero())
      if (const auto* peer = peer_of(*view_, in)) missing.push_back(peer);
  wait_for(fmt::format("round {}: {}waiting for {} to reveal {}", head.round_num,
                       is_listed(*view_, options_.self) ? "" : "came late, contributes to the next one; ",
                       names_of(*view_, missing), missing.size() == 1 ? "its model" : "their models"),
           now);
  if (!phase.since) {
    phase.since = now;
    phase.close_at =
        now + std::chrono::seconds(contracts::reveal_seconds) + turn_to_end(*view_, options_.self);
  }
  if (now < phase.close_at) return accuse_silent(s, now);
  phase.close_at = now + turn_again;
  send(s, calls::kind::close_reveals,
       contracts::encode(contracts::close_reveals_args{head.generation, head.round_num}),
       fmt::format("go on with round {} without {}", head.round_num, names_of(*view_, missing)));
}

/// In a round that is collected anew, a check-in that was not revealed does not stand.
void peer_machine::forget_withheld(session& s) const {
  const auto& head = view_->head;
  const bool is_lost = is_in(s) && !is_listed(*view_, options_.self)
                       && s.training.marks.checked_in != round_and_term{head.round_num, head.term};
  if (is_lost) s.training.checked_in.reset();
}

/// Names those who have withheld a model since it was looked at last.
void peer_machine::tell_of_withheld(session& s) {
  for (const auto& peer : view_->peers) {
    if (peer.trusted_from == 0) continue;
    auto& known = s.training.told.trusted_from[peer.account];
    if (peer.trusted_from > known)
      act(action::note{true,
                       fmt::format("{} has committed to a model and not revealed it: up to round {} its "
                                   "check-ins count once they are revealed",
                                   peer.account == options_.self ? "this node" : address_of(peer),
                                   peer.trusted_from - 1)});
    known = peer.trusted_from;
  }
  const auto* own = find_check_in(*view_, options_.self);
  const bool is_copy = own != nullptr && own->weightage == 0 && s.request && s.request->weightage > 0
                       && s.training.marks.revealed
                       && s.training.marks.revealed->first == view_->head.round_num;
  if (is_copy && std::exchange(s.training.told.copy_of, view_->head.round_num) != view_->head.round_num)
    act(action::note{
        true, fmt::format("round {}: another peer had revealed the same model before, so that this node "
                          "brings none",
                          view_->head.round_num)});
}

} // namespace swarm::rounds
