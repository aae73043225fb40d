#include "actors/sl/rounds/arithmetic.hpp"
#include "actors/sl/rounds/peer_machine.hpp"

#include <algorithm>

// What the program does, and what happens to its node as a whole.
namespace swarm::rounds {

using contracts::leave_reason;
using contracts::round_phase;

namespace {

/// Ends the evaluation under way and returns it, if there was one.
std::optional<evaluation> take_evaluation(session& s) {
  if (const auto* phase = std::get_if<loading>(&s.phase)) return phase->of;
  if (auto* phase = std::get_if<registering>(&s.phase)) return std::exchange(phase->evaluating, std::nullopt);
  return std::nullopt;
}

} // namespace

void peer_machine::step(const event::program_opened& opened, time_point now) {
  drop_session();
  view_.reset(); // it may be of another contract
  state_ = session{.params = opened.params,
                   .contract = opened.contract,
                   .interval = std::max<std::uint32_t>(1, opened.params.sync_interval)};
  act(action::refresh{});
  wait_for("waiting for an SN to tell how the training stands", now);
  reconcile(now);
}

void peer_machine::step(const event::program_synced& synced, time_point now) {
  take_request({false, synced.model, synced.weightage}, now);
}

void peer_machine::step(const event::program_closing& closing, time_point now) {
  take_request({true, closing.model, closing.weightage}, now);
}

void peer_machine::take_request(program_request request, time_point now) {
  auto* s = std::get_if<session>(&state_);
  if (s == nullptr) return;
  auto& ahead = s->training.ahead;
  (ahead && ahead->report ? ahead->next : s->request) = request;
  bring_nothing_false(*s);
  models_.durable.reset();
  act(action::refresh{});
  reconcile(now);
}

void peer_machine::step(const event::program_loss& loss, time_point now) {
  auto* s = std::get_if<session>(&state_);
  if (s != nullptr && s->training.ahead && !s->training.ahead->report)
    return take_ahead(*s, loss.report, now);
  const auto evaluated = s != nullptr ? take_evaluation(*s) : std::nullopt;
  if (!evaluated) return;
  if (std::holds_alternative<loading>(s->phase)) enter_round_phase(*s);
  // A merge from before a reset means nothing to the new training.
  if (evaluated->generation == s->training.generation) keep_loaded(*s, *evaluated, loss.report);
  if (s->request) s->request->has_loaded = true;
  if (s->request && !s->request->closing) {
    s->request.reset();
    const bool over = view_->head.phase == round_phase::complete;
    act(action::answer_sync{next_interval(*s), over, take_notice(*s), evaluated->round_num,
                            mean_of_reports(*view_)});
    wait_for(over ? "training is complete, the program may go on without syncs" : "training locally", now);
  }
  reconcile(now);
}

/// The program has this merge, from which it trains on.
void peer_machine::keep_loaded(session& s, const evaluation& of, const loss_report& report) {
  auto& training = s.training;
  training.checked_in.reset();
  training.takes_back = false;
  training.loaded = {of.round_num, of.digest, report};
  training.base_round = of.round_num;
  training.base_digest = of.digest;
  if (find_peer(*view_, options_.self) != nullptr) report_loss(s);
}

void peer_machine::report_loss(const session& s) {
  const auto& training = s.training;
  const auto& loss = training.loaded->loss;
  act(calls_.send_report({0, s.contract,
                          contracts::encode_report_loss(
                              {training.generation, training.base_round, contracts::to_micro(loss.loss),
                               contracts::to_micro(loss.metric), loss.epochs_done, loss.epochs_total}),
                          fmt::format("report the loss of round {}", training.base_round)}));
}

std::uint32_t peer_machine::next_interval(session& s) {
  const auto mean = s.params.adaptive_sync ? mean_of_reports(*view_) : std::nullopt;
  auto& before = s.training.means;
  // Where nobody has reported since, losses have neither fallen nor risen.
  if (!mean || (before && before->rounds == mean->rounds)) return s.interval;
  s.interval = adaptive_interval(s.interval, s.params.sync_interval,
                                 before ? std::optional(before->loss) : std::nullopt, mean->loss);
  before = mean;
  return s.interval;
}

void peer_machine::step(const event::program_gone& gone, time_point now) {
  auto* s = std::get_if<session>(&state_);
  if (s == nullptr) return;
  auto* phase = std::get_if<lingering>(&s->phase);
  if (phase == nullptr) return go_without_program(*s, gone, now);
  phase->program_served = true; // it has its final model; others may still need ours
  reconcile(now);
}

void peer_machine::go_without_program(session& s, const event::program_gone& gone, time_point now) {
  if (has_to_leave(s)) leave(s.contract, gone.why);
  act(action::note{!gone.orderly, fmt::format("the program is gone: {}", gone.text)});
  if (!gone.orderly) {
    end_session(false, gone.text);
  } else {
    drop_session();
    state_ = outside{
        .ending = fmt::format("left the training before its end, as the program wished: {}", gone.text),
        .ending_until = now + read_answer_max};
    end_when_done(now);
  }
  wait_for("no program", now);
}

void peer_machine::step(const event::shutdown&, time_point now) {
  if (const auto* s = std::get_if<session>(&state_)) {
    if (has_to_leave(*s)) leave(s->contract, leave_reason::node_stopped);
    drop_session();
  } else {
    std::get<outside>(state_).ending.reset();
  }
  wait_for("told to stop", now);
}

void peer_machine::step(const event::former_session& former, time_point now) {
  leave(former.contract, leave_reason::node_restarted);
  wait_for("leaving for the process before this one", now);
}

} // namespace swarm::rounds
