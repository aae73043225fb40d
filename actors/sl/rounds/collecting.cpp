#include "actors/sl/rounds/arithmetic.hpp"
#include "actors/sl/rounds/peer_machine.hpp"

#include <algorithm>

// What is done up to the close of a round: becoming a peer, checking in, waiting for the others.
namespace swarm::rounds {

using contracts::round_phase;

void peer_machine::go_on(session& s, registering& phase, time_point now) {
  const auto refused = std::exchange(phase.refused, std::nullopt);
  if (refused) return registration_refused(s, *refused);
  const auto& head = view_->head;
  if (head.phase == round_phase::merging && head.round_num == phase.stay_out_of)
    return wait_for(
        fmt::format("round {}: none of its models can be merged, waiting for it to be collected anew",
                    head.round_num),
        now);
  phase.stay_out_of = 0;
  s.training.generation = head.generation;
  const auto& params = s.params;
  send(s, calls::kind::register_peer,
       contracts::encode_register_peer({params.min_peers, params.merge_method, params.weightage,
                                        params.on_train_end, params.epochs_total, options_.can_lead}),
       "register as a peer of the training");
}

/// Only the operator or the program's author can mend this, so the program is told, by its SwarmCallback, and
/// its peers why it does not come. The view is newer than the refusal.
void peer_machine::registration_refused(const session& s, const std::string& text) {
  const auto why = refusal_of(*view_, s.params);
  const auto* self = find_peer(*view_, options_.self);
  if (why && is_member(*view_, options_.self)) {
    leave(s.contract, *why); // the contract has it from an earlier session
  } else if (why && (self == nullptr || self->reason != *why)) {
    act(calls_.send_leave({0, s.contract, contracts::encode_report_refusal({view_->head.generation, *why}),
                           "tell the peers why the program was refused"}));
  }
  refuse_program(text);
}

void peer_machine::go_on(session& s, collecting&, time_point now) {
  if (is_odd()) return wait_for_agreement(s, now);
  s.training.marks.odd_since.reset();
  if (!s.request || loads_first(s, now)) return;
  forget_withheld(s);
  if (!is_in(s)) return check_in(s, now);
  // It may have to before it counts.
  if (s.training.committed && !is_listed(*view_, options_.self) && reveal(s)) return;
  wait_for_peers(s, now);
}

void peer_machine::check_in(session& s, time_point now) {
  const auto& head = view_->head;
  const auto& training = s.training;
  const auto& request = *s.request;
  auto model = request.model;
  if (request.closing && s.params.on_train_end == contracts::on_train_end::active && head.merged_round > 0
      && head.merged_digest != training.given_up) {
    // It passes on the last merge, which must be here so that the leader can fetch it.
    if (!get_merged(s, now)) return;
    model = {head.merged_digest, head.merged_size, head.layout_digest};
  }
  const bool counts = request.weightage > 0;
  const bool fits = head.layout_digest.is_zero() || head.layout_digest == model.layout;
  const bool may_bring = fits || may_contest_layout(s);
  if (counts && may_bring && !make_durable(model.digest)) return;
  // Its own as well: after a reset, or without the merge, that is what it brings.
  std::set<hash32> keep{model.digest, request.model.digest, training.base_digest, head.merged_digest};
  if (training.ahead && training.ahead->next) keep.insert(training.ahead->next->model.digest);
  act(action::keep_models{keep});
  std::erase_if(models_.local, [&](const hash32& digest) { return !keep.contains(digest); });
  if (!counts) model = {};
  if (counts && !may_bring) return refuse_layout(s);
  s.training.committed = counts ? std::optional(model.digest) : std::nullopt;
  send(s, calls::kind::check_in,
       contracts::encode_check_in({training.generation, head.round_num,
                                   counts ? commitment_to(s, model.digest) : hash32{}, model.size,
                                   model.layout, request.weightage, training.base_round, request.closing}),
       fmt::format("check in for round {}", head.round_num));
}

void peer_machine::wait_for_peers(session& s, time_point now) {
  const auto& head = view_->head;
  auto& marks = s.training.marks;
  const auto missing = missing_peers(*view_);
  if (head.checked_in < head.min_peers) {
    marks.grace_round = 0;
    const auto left = departures_text(*view_);
    return wait_for(fmt::format("round {}: {} of at least {} peers are in, waiting for {}{}{}",
                                head.round_num, head.checked_in, head.min_peers,
                                missing.empty() ? "more to join" : names_of(*view_, missing),
                                left.empty() ? "" : "; ", left),
                    now);
  }
  wait_for(fmt::format("round {}: enough peers are in, still waiting for {}", head.round_num,
                       names_of(*view_, missing)),
           now);
  if (marks.grace_round != head.round_num) {
    marks.grace_round = head.round_num;
    marks.grace_since = now;
  }
  // Who keeps step, though slowly, is not cut off by a grace that is shorter than that.
  if (!missing.empty() && now - marks.grace_since >= options_.grace) {
    const auto steady = time_for_steady(*view_, missing);
    if (!steady || now - marks.opened_at >= *steady + options_.grace) vote_close(s, missing);
  }
  accuse_silent(s, now);
}

/// Votes to close the round, as the grace time is over.
void peer_machine::vote_close(session& s, const peer_list& missing) {
  const auto& head = view_->head;
  if (s.training.marks.voted == round_and_term{head.round_num, head.term}) return;
  // A finished peer does not vote to close without one that still trains, unless that one's node is dead.
  const bool all_silent = std::all_of(missing.begin(), missing.end(), [this](const auto* peer) {
    return view_->silent.contains(peer->account);
  });
  if (s.request->closing && !all_silent) return;
  const auto grace = std::chrono::duration_cast<std::chrono::seconds>(options_.grace).count();
  const auto steady = time_for_steady(*view_, missing);
  act(action::note{true, fmt::format("round {}: {} not waited for any longer: {}the grace of {} s is over",
                                     head.round_num,
                                     missing.size() == 1 ? names_of(*view_, missing) + " is"
                                                         : names_of(*view_, missing) + " are",
                                     steady ? fmt::format("{} times as long as the others took, {} s, and ",
                                                          slower_at_most, steady->count())
                                            : "",
                                     grace)});
  send(s, calls::kind::vote_close, contracts::encode_vote_close({s.training.generation, head.round_num}),
       fmt::format("vote to close round {} without {}", head.round_num, names_of(*view_, missing)));
}

} // namespace swarm::rounds
