#include "actors/sl/rounds/peer_machine.hpp"

// Peers that are in the round and give no sign of life are accused on the chain, so that no majority needs them; and
// this node gives a sign of life when it is accused.
namespace swarm::rounds {

namespace {
/// The chain's clock may be behind this node's.
constexpr auto clock_slack = std::chrono::seconds(1);
constexpr auto accuse_pause = std::chrono::seconds(15);
} // namespace

/// True when it had to, and does.
bool peer_machine::answer_accusation(session& s) {
  const auto* self = find_peer(*view_, options_.self);
  if (self == nullptr || self->accused_since == 0 || !is_member(*view_, options_.self)) return false;
  send(s, calls::kind::answer, contracts::encode(contracts::answer_accusation_args{view_->head.generation}),
       "tell the peers that this node lives");
  return true;
}

void peer_machine::accuse_silent(session& s, time_point now) {
  auto& marks = s.training.marks;
  if (calls_.hold_up(now) || now < marks.accuse_at) return;
  for (const auto& in : view_->check_ins) {
    if (!view_->silent.contains(in.peer)) continue;
    const auto* peer = peer_of(*view_, in);
    if (peer == nullptr || in.peer == options_.self || !is_member(*view_, in.peer)) continue;
    if (peer->accused_since == 0) {
      marks.accused.erase(in.peer);
    } else {
      const auto seen = marks.accused.try_emplace(in.peer, now).first->second;
      if (now - seen < std::chrono::seconds(contracts::peer_answer_seconds) + clock_slack) continue;
    }
    return send(s, calls::kind::accuse,
                contracts::encode(contracts::accuse_peer_args{view_->head.generation, in.peer}),
                fmt::format("accuse {}", name_of(*view_, in.peer)));
  }
}

/// Another one has said so before, the peer has some seconds yet, or this node may accuse nobody for now.
void peer_machine::accusation_refused(session& s, time_point now) {
  s.training.marks.accuse_at = now + accuse_pause;
}

} // namespace swarm::rounds
