#include "actors/sl/rounds/arithmetic.hpp"
#include "actors/sl/rounds/peer_machine.hpp"

#include <algorithm>

// The end of a training: the final model goes to the program, then to every peer that still needs it.
namespace swarm::rounds {

using contracts::round_phase;

namespace {
constexpr auto look_pause_first = std::chrono::milliseconds(50);
} // namespace

/// Hands over the final model, then lets the program go.
void peer_machine::go_on(session& s, finishing& phase, time_point now) {
  if (!s.request) return;
  const auto& head = view_->head;
  auto& training = s.training;
  // Rounds are compared, not digests, as the last merge may have changed nothing: the loss report for its
  // round tells the others that this node has it. A program that has
  // trained on since does not have it any more.
  const bool has_final = training.loaded && training.loaded->round_num == head.merged_round
                         && training.loaded->digest == head.merged_digest
                         && (!s.request->closing || s.request->has_loaded);
  if (!has_final && head.merged_round > 0) {
    // A merge that was given up while further rounds were expected is tried once more.
    if (head.merged_digest == training.given_up && !std::exchange(phase.last_try, true)) {
      training.given_up = {};
      training.failing.reset();
    }
    if (head.merged_digest == training.given_up) return final_model_lost(s);
    return load_merged(s, now);
  }
  if (s.request->closing) return serve_close(s, now);
  s.request.reset();
  act(action::answer_sync{next_interval(s), true, take_notice(s), head.merged_round,
                          mean_of_reports(*view_)});
}

void peer_machine::serve_close(session& s, time_point now) {
  const auto& head = view_->head;
  // A peer that came back into its training must report once more that it has the merge.
  const auto* self = find_peer(*view_, options_.self);
  if (s.training.loaded && !calls_.is_reporting() && is_member(*view_, options_.self)
      && self->loss_round < head.merged_round)
    report_loss(s);
  s.request.reset();
  act(action::answer_close{take_notice(s), mean_of_reports(*view_)});
  act(action::note{false, fmt::format("training complete after round {}, final model {}", head.merged_round,
                                      to_hex(head.merged_digest.view()))});
  s.phase = lingering{.until = now + read_answer_max, .look_at = now, .look_pause = look_pause_first};
  go_on(s, std::get<lingering>(s.phase), now);
}

/// After its program is served, a node keeps serving its files until every peer has loaded the final model,
/// is gone, or gives no sign of life.
void peer_machine::go_on(session& s, lingering& phase, time_point now) {
  const auto& head = view_->head;
  const bool other_training = head.generation != s.training.generation || head.phase != round_phase::complete;
  const auto missing = peers_that_miss_the_merge(*view_, options_.self);
  if (other_training || (missing.empty() && !calls_.is_reporting())) {
    if (!phase.program_served && now < phase.until) return;
    const auto lost = lost_peers(*view_);
    return end_session(true, lost.empty()
                                 ? fmt::format("All peers and Swarm training rounds finished after round {}",
                                               head.merged_round)
                                 : fmt::format("Swarm training rounds finished after round {}, without {}",
                                               head.merged_round, lost));
  }
  wait_for(
      fmt::format("program served, waiting until {} the final model",
                  missing.empty() ? "the SN knows that this node has" : names_of(*view_, missing) + " has"),
      now);
  if (now < phase.look_at) return;
  phase.look_at = now + phase.look_pause;
  phase.look_pause = std::min<duration>(phase.look_pause * 2, options_.probe_interval);
  act(action::refresh{});
}

/// The only holders of the final model are gone, and no further round will make another one.
void peer_machine::final_model_lost(const session& s) {
  const auto& head = view_->head;
  if (s.training.registered) leave(s.contract, contracts::leave_reason::final_model_lost);
  refuse_program(
      fmt::format("the training is complete, but nobody gives the final model {} of round {}, merged "
                  "by {}: start that node again with its data directory, or reset the training "
                  "contract to train again",
                  to_hex(head.merged_digest.view()), head.merged_round, name_of(*view_, head.merged_by)));
}

} // namespace swarm::rounds
