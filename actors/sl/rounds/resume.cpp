#include "actors/sl/rounds/peer_machine.hpp"

#include <algorithm>

// A machine may take over a session in the middle, and answers to calls may be lost: the contract then tells
// how far the session is.
namespace swarm::rounds {

/// The session stays in `registering` until the contract has been read, which then decides the phase.
void peer_machine::step(const event::session_resumed& resumed, time_point now) {
  auto* s = std::get_if<session>(&state_);
  auto* phase = s != nullptr ? std::get_if<registering>(&s->phase) : nullptr;
  if (phase == nullptr) return;
  s->interval = std::max<std::uint32_t>(1, resumed.from.interval);
  phase->let_in = true;
  phase->takes_over = resumed.from;
  reconcile(now);
}

/// Takes up the session at the first reading of the contract. The program's open was answered, so this node
/// is registered if the contract lists it. What the program has loaded counts if it belongs to this training.
void peer_machine::take_up(session& s, registering& phase) {
  const auto from = std::exchange(phase.takes_over, std::nullopt);
  if (!from) return;
  const auto& head = view_->head;
  auto& training = s.training;
  training.registered = is_member(*view_, options_.self);
  if (from->base_round == 0 || from->generation != head.generation) return;
  training.generation = head.generation;
  if (from->base_round > head.merged_round) { // given to it before it was accepted
    training.ahead =
        loaded_ahead{{from->generation, from->base_round, from->base_digest}, from->loss, s.request};
    s.request.reset();
    if (const auto* in = find_check_in(*view_, options_.self);
        in != nullptr && head.round_num == from->base_round)
      s.request = program_request{false, {in->digest, in->size, head.layout_digest}, in->weightage};
    return;
  }
  training.base_round = from->base_round;
  training.base_digest = from->base_digest;
  training.loaded = {from->base_round, from->base_digest, from->loss};
  const auto* self = find_peer(*view_, options_.self);
  if (training.registered && self->loss_round < training.base_round) report_loss(s);
}

/// Finds out from the contract whether the program's request is checked in, as the answer to the check-in may
/// have been lost: in the current round, or in one that was merged since the program got its last merge.
void peer_machine::recall_check_in(session& s) {
  auto& training = s.training;
  if (training.checked_in) return;
  const auto& head = view_->head;
  const auto* self = find_peer(*view_, options_.self);
  if (is_listed(*view_, options_.self)) {
    training.checked_in = head.round_num;
  } else if (self != nullptr && self->last_round > training.base_round && self->last_round < head.round_num) {
    training.checked_in = self->last_round;
  }
}

} // namespace swarm::rounds
