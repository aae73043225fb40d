#include "actors/sl/rounds/peer_machine.hpp"

#include <algorithm>

// A machine that takes over a session in its midst, and calls whose answers were lost: the contract says how
// far it is.
namespace swarm::rounds {

void peer_machine::on_resume(resumed_session from) {
  if (!session_) return;
  open_answered_ = true;
  interval_ = std::max<std::uint32_t>(1, from.interval);
  resumed_ = std::move(from);
}

/// The first reading of the contract: this node is registered if it is listed, as its program has been
/// answered its open. What the program has loaded counts if it is of this training.
void peer_machine::take_up() {
  const auto from = std::exchange(resumed_, std::nullopt);
  if (!from) return;
  const auto& head = view_->head;
  const auto* self = find_peer(options_.self);
  registered_ = self != nullptr && self->state != contracts::peer_state::left;
  if (from->base_round == 0 || from->generation != head.generation) return;
  generation_ = asked_generation_ = head.generation;
  base_round_ = asked_round_ = from->base_round;
  base_digest_ = asked_digest_ = from->base_digest;
  caught_up_ = true;
  loss_ = from->loss;
  if (registered_ && self->loss_round < base_round_) report_loss();
}

/// What the contract has of this node's model counts, also when the answer to the check-in was lost: the
/// program's request is in the current round, or in one that has been merged since the program got its last
/// merge.
void peer_machine::recall_check_in() {
  if (in_round_) return;
  const auto& head = view_->head;
  const auto* self = find_peer(options_.self);
  if (is_listed()) {
    checked_in_round_ = head.round_num;
  } else if (self != nullptr && self->last_round > base_round_ && self->last_round < head.round_num) {
    checked_in_round_ = self->last_round;
  } else {
    return;
  }
  in_round_ = true;
}

} // namespace swarm::rounds
