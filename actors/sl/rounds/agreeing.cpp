#include "actors/sl/rounds/peer_machine.hpp"

#include <algorithm>

// A program may want another minPeers, mergeMethod or layout than those in force. The contract decides by what most
// organisations want; until then the program waits.
namespace swarm::rounds {

using contracts::leave_reason;
using contracts::peer_state;

bool peer_machine::is_odd() const {
  const auto* self = find_peer(*view_, options_.self);
  return self != nullptr && self->state == peer_state::odd;
}

/// The contract refuses what this program wants, which it took at first.
bool peer_machine::is_outvoted(const session& s) const {
  const auto* self = find_peer(*view_, options_.self);
  return s.training.registered && self != nullptr && self->state == peer_state::left
         && self->organisation != 0 && is_refusal(self->reason) && !std::holds_alternative<lingering>(s.phase)
         && view_->head.generation == s.training.generation;
}

void peer_machine::refuse_outvoted(const session& s, time_point now) {
  const auto why = find_peer(*view_, options_.self)->reason;
  if (why == leave_reason::other_parameters && s.request) {
    refuse_layout(s);
  } else {
    const auto& head = view_->head;
    refuse_program(fmt::format(
        "this program was refused: {}. Most organisations want minPeers {} and mergeMethod "
        "'{}', it asked for {} and '{}'",
        to_string(why), head.min_peers, head.merge_method, s.params.min_peers, s.params.merge_method));
  }
  wait_for("no program", now);
}

/// The program's layout is not the one in force, and the contract may yet count it as what this organisation wants.
bool peer_machine::may_contest_layout(const session& s) const {
  const auto* self = find_peer(*view_, options_.self);
  const auto& in_force = view_->head.layout_digest;
  return !is_to_resume(s) && self != nullptr && self->organisation != 0 && !s.training.layout_refused
         && s.request && !s.request->closing && s.request->weightage > 0 && !in_force.is_zero()
         && s.request->model.layout != in_force;
}

void peer_machine::wait_for_agreement(session& s, time_point now) {
  const auto why = find_peer(*view_, options_.self)->reason;
  peer_list others;
  for (const auto& peer : view_->peers)
    if (peer.state == peer_state::active || peer.state == peer_state::finished) others.push_back(&peer);
  std::string names;
  for (std::size_t i = 0; i < std::min<std::size_t>(others.size(), 3); ++i)
    names += (i == 0 ? "" : ", ") + address_of(*others[i]);
  const auto text = fmt::format(
      "this program is not like its peers: {}. In force are minPeers {} and mergeMethod '{}', with {}{}; "
      "waiting for what most organisations want",
      to_string(why), view_->head.min_peers, view_->head.merge_method, names.empty() ? "nobody" : names,
      others.size() > 3 ? fmt::format(" and {} more", others.size() - 3) : "");
  auto& since = s.training.marks.odd_since;
  if (!since) {
    since = now;
    act(action::note{true, text});
  }
  wait_for(text, now);
  if (now - *since < options_.agreement_wait) return;
  if (why == leave_reason::other_parameters && s.request) {
    refuse_layout(s);
  } else {
    leave(s.contract, why);
    refuse_program(text);
  }
  wait_for("no program", now);
}

} // namespace swarm::rounds
