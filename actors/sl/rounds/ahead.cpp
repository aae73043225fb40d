#include "actors/sl/rounds/arithmetic.hpp"
#include "actors/sl/rounds/peer_machine.hpp"

// A training whose merges are checked behind: its programs train on with what is proposed, and it is taken back from them
// when another merge is accepted. For the round nothing else changes: the request with which a program brought its model
// stays until the round has its merge, and no round closes before that.
namespace swarm::rounds {

using contracts::round_phase;

/// Whether the program is to be given what is proposed, and was not yet.
bool peer_machine::may_load_ahead(const session& s) const {
  const auto& [head, training] = std::tie(view_->head, s.training);
  return s.params.takes_back && head.verify == contracts::verify_mode::behind
         && head.phase == round_phase::verifying && !training.ahead && !training.takes_back
         && !training.checks.wrong && !s.request->closing && is_in(s);
}

/// Gives the program what is proposed, as soon as it is here, unless something speaks against it.
void peer_machine::load_ahead(session& s, time_point now) {
  const auto& [head, proposal, training] = std::tie(view_->head, view_->proposal, s.training);
  if (!may_load_ahead(s) || !models_.local.contains(proposal.digest)) return;
  training.ahead = loaded_ahead{.of = {training.generation, head.round_num, proposal.digest}};
  act(action::ask_loss{proposal.digest, training.generation, head.round_num, true});
  wait_for(fmt::format("the program loads what is proposed for round {}", head.round_num), now);
}

/// True while the program is about to get what is proposed: programs wait for that, and checks, which would take the same network and
/// cores, have time. Who gives it slowly holds up checks only so long.
bool peer_machine::loads_before_checking(const session& s, checking& phase, time_point now) const {
  if (view_->head.phase != round_phase::verifying) return false;
  const auto& ahead = s.training.ahead;
  const bool comes = may_load_ahead(s) && models_.fetching == view_->proposal.digest;
  if (!comes && (!ahead || ahead->report)) return false;
  if (!phase.load_until) phase.load_until = now + check_time() / 4;
  return now < *phase.load_until;
}

/// The program has it, and goes on.
void peer_machine::take_ahead(session& s, const loss_report& report, time_point now) {
  auto& ahead = *s.training.ahead;
  ahead.report = report;
  act(action::answer_sync{next_interval(s), false, take_notice(s), ahead.of.round_num,
                          mean_of_reports(*view_)});
  wait_for(
      fmt::format("training locally with the merge of round {}, which is being checked", ahead.of.round_num),
      now);
  reconcile(now);
}

/// Once the round has its merge: it is what the program has, or that is taken back.
void peer_machine::settle_ahead(session& s, time_point now) {
  auto& training = s.training;
  const auto& head = view_->head;
  if (!training.ahead || !training.ahead->report || head.generation != training.ahead->of.generation
      || head.merged_round < training.ahead->of.round_num)
    return;
  const auto ahead = *std::exchange(training.ahead, std::nullopt);
  s.request = ahead.next;
  const bool is_it = head.merged_round == ahead.of.round_num && head.merged_digest == ahead.of.digest;
  const auto& checks = training.checks;
  if (is_it && checks.wrong && checks.wrong->verdict == check_outcome::wrong_chunk
      && checks.digest == ahead.of.digest) {
    if (has_to_leave(s)) leave(s.contract, contracts::leave_reason::program_failed);
    refuse_program(fmt::format(
        "the merge of round {} was accepted, this node finds it wrong: {}; its program trains with "
        "it already. Start it again from a checkpoint of its own",
        ahead.of.round_num, checks.wrong->text));
    return wait_for("no program", now);
  }
  if (is_it) {
    keep_loaded(s, ahead.of, *ahead.report);
    return;
  }
  training.takes_back = true;
  act(action::note{
      true, fmt::format("round {} has another merge than the one that the program was given before it was "
                        "checked; it is taken back at the next sync",
                        ahead.of.round_num)});
  bring_nothing_false(s);
}

/// A program that ends its training with what is taken back brings nothing of that.
void peer_machine::bring_nothing_false(session& s) {
  if (s.training.takes_back && s.request && s.request->closing) s.request->weightage = 0;
}

} // namespace swarm::rounds
