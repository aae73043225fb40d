#include "actors/sl/rounds/peer_machine.hpp"

#include <fmt/ranges.h>

#include <algorithm>

// The end of a training: the final model for the program, then for every peer that still has to get it.
namespace swarm::rounds {

using contracts::peer_state;
using contracts::round_phase;

namespace {

/// A program closes its pipes when it has read the last answer; one that does not is not waited for longer.
constexpr auto read_answer_max = std::chrono::seconds(5);
constexpr auto look_pause_first = std::chrono::milliseconds(50);

} // namespace

/// The contract is complete: hand over the final model, then let the program go.
void peer_machine::serve_complete(time_point now) {
  const auto& head = view_->head;
  // By round, as the last merge may have changed nothing: its loss report tells the others that this
  // node has it.
  const bool has_final =
      caught_up_ && asked_round_ == head.merged_round && asked_digest_ == head.merged_digest;
  if (!has_final && head.merged_round > 0) {
    // What was given up before there was no further round is worth another try.
    if (head.merged_digest == given_up_ && !std::exchange(last_try_, true)) given_up_ = failing_.first = {};
    if (head.merged_digest == given_up_) return final_model_lost();
    load_merged(now);
    return;
  }
  if (request_ == request::sync) {
    request_ = request::none;
    act(action::answer_sync{next_interval(), true});
    return;
  }
  // A peer that came back into the training it was in has to say once more that it has the merge.
  const auto* self = find_peer(options_.self);
  if (has_final && !report_ && self != nullptr && self->state != peer_state::left
      && self->loss_round < head.merged_round)
    report_loss();
  request_ = request::none;
  act(action::answer_close{});
  act(action::note{false, fmt::format("training complete after round {}, final model {}", head.merged_round,
                                      to_hex(head.merged_digest.view()))});
  lingering_ = true;
  program_served_ = false;
  linger_until_ = now + read_answer_max;
  look_pause_ = look_pause_first;
  look_at_ = now;
  linger(now);
}

/// Who waits for a merge that this node has, and perhaps only this node.
std::vector<const contracts::peer_view*> peer_machine::peers_that_miss_the_merge() const {
  const auto& head = view_->head;
  const bool complete = head.phase == round_phase::complete;
  std::vector<const contracts::peer_view*> out;
  if (!complete && head.merged_by != options_.self) return out;
  for (const auto& peer : view_->peers) {
    const bool waits = peer.state == peer_state::active || (complete && peer.state == peer_state::finished);
    const bool took_part = complete || peer.last_round >= head.merged_round;
    if (peer.account != options_.self && waits && took_part && peer.loss_round < head.merged_round
        && !view_->silent.contains(peer.account))
      out.push_back(&peer);
  }
  return out;
}

/// After its program is served, a node keeps serving its files until every peer has loaded the final model,
/// is gone, or gives no sign of life.
void peer_machine::linger(time_point now) {
  const bool other_training =
      view_->head.generation != generation_ || view_->head.phase != round_phase::complete;
  const auto missing = peers_that_miss_the_merge();
  if (other_training || (missing.empty() && !report_)) {
    if (program_served_ || now >= linger_until_) {
      const auto lost = lost_peers();
      end_session(true, lost.empty()
                            ? fmt::format("All peers and Swarm training rounds finished after round {}",
                                          view_->head.merged_round)
                            : fmt::format("Swarm training rounds finished after round {}, without {}",
                                          view_->head.merged_round, lost));
    }
    return;
  }
  enter(fmt::format("program served, waiting until {} the final model",
                    missing.empty() ? "the SN knows that this node has" : names_of(missing) + " has"),
        now);
  if (now < look_at_) return;
  look_at_ = now + look_pause_;
  look_pause_ = std::min<duration>(look_pause_ * 2, options_.probe_interval);
  act(action::refresh{});
}

/// Peers that were in this training and have not got its final model.
std::string peer_machine::lost_peers() const {
  std::vector<std::string> lost;
  for (const auto& peer : view_->peers) {
    if (peer.loss_round >= view_->head.merged_round) continue;
    if (peer.state == peer_state::left)
      lost.push_back(peer.name + " (left)");
    else if (view_->silent.contains(peer.account))
      lost.push_back(peer.name + " (no sign of life)");
    else if (peer.state == peer_state::absent)
      lost.push_back(peer.name + " (absent)");
  }
  return fmt::format("{}", fmt::join(lost, ", "));
}

/// Its only holders are gone, and no further round will make another one.
void peer_machine::final_model_lost() {
  const auto& head = view_->head;
  if (registered_) leave("it cannot get the final model");
  refuse_program(
      fmt::format("the training is complete, but nobody gives the final model {} of round {}, merged "
                  "by {}: start that node again with its data directory, or reset the training "
                  "contract to train again",
                  to_hex(head.merged_digest.view()), head.merged_round, name_of(head.merged_by)));
}

} // namespace swarm::rounds
