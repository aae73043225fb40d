#include "actors/sl/rounds/peer_machine.hpp"

#include <algorithm>

// How a session moves from phase to phase, and how it ends.
namespace swarm::rounds {

using contracts::round_phase;

/// Compares what is with what should be and asks for the next step. It is called after every event and asks
/// for nothing twice, as every step leaves a mark until its answer is in.
void peer_machine::reconcile(time_point now) {
  auto* s = std::get_if<session>(&state_);
  if (s == nullptr || !view_ || is_behind()) return;
  if (is_late(*s)) return refuse_newcomer(*s, now);
  if (is_invalid(*s)) return refuse_inactive(*s, now);
  drop_stale_merge(*s);
  drop_stale_check(*s);
  drop_stale_shard(*s);
  settle_ahead(*s, now);
  s = std::get_if<session>(&state_);
  if (s == nullptr) return;
  know_refusals(*s);
  tell_of_withheld(*s);
  if (calls_.hold_up(now)) return;
  if (auto* phase = std::get_if<registering>(&s->phase)) take_up(*s, *phase);
  if (answer_accusation(*s)) return;
  if (is_outvoted(*s)) return refuse_outvoted(*s, now);
  follow_contract(*s, now);
  // This comes last, as a step may end the phase, and with it the session.
  std::visit([&](auto& phase) { go_on(*s, phase, now); }, s->phase);
}

/// Moves to the phase that the contract asks for.
void peer_machine::follow_contract(session& s, time_point now) {
  if (std::holds_alternative<lingering>(s.phase)) return;
  const auto& head = view_->head;
  if (head.phase != round_phase::complete) { // a complete training needs no peers any more
    if (!is_member(*view_, options_.self)) s.training.registered = false;
    if (!s.training.registered) return enter_registering(s, {.let_in = true});
  }
  s.training.generation = head.generation;
  if (std::holds_alternative<loading>(s.phase)) return;
  const auto* from = std::get_if<registering>(&s.phase);
  if (from != nullptr && !from->let_in) {
    const auto* self = find_peer(*view_, options_.self);
    act(action::answer_open{head.merged_round, self == nullptr ? std::string{} : self->name});
    wait_for("waiting for the program's first sync", now);
  }
  if (from != nullptr && from->evaluating) {
    s.phase = loading{*from->evaluating};
  } else {
    enter_round_phase(s);
  }
}

/// Enters the phase of the contract's round, unless it is the present one.
void peer_machine::enter_round_phase(session& s) {
  const auto& head = view_->head;
  switch (head.phase) {
  case round_phase::collecting:
    if (!std::holds_alternative<collecting>(s.phase)) s.phase = collecting{};
    return;
  case round_phase::revealing: {
    const round_and_term key{head.round_num, head.term};
    const auto* phase = std::get_if<revealing>(&s.phase);
    if (phase == nullptr || phase->of != key) s.phase = revealing{.of = key};
    return;
  }
  case round_phase::verifying:
  case round_phase::disputed:
  case round_phase::stopped:
    return enter_checking(s);
  case round_phase::merging: {
    const round_and_term key{head.round_num, head.term};
    const auto* merge = std::get_if<merging>(&s.phase);
    if (merge == nullptr || merge->of != key) s.phase = merging{.of = key};
    return;
  }
  case round_phase::complete:
    if (!std::holds_alternative<finishing>(s.phase)) s.phase = finishing{};
    return;
  }
}

/// Goes back to `registering`, unless the session is there already. An evaluation is carried along, so the
/// program does not notice.
void peer_machine::enter_registering(session& s, registering next) {
  if (std::holds_alternative<registering>(s.phase)) return;
  drop_work(s);
  if (const auto* from = std::get_if<loading>(&s.phase)) next.evaluating = from->of;
  s.phase = std::move(next);
}

/// Forgets what belongs to a generation, as the training was reset or its chain replaced.
void peer_machine::forget_generation(session& s) {
  drop_work(s);
  const auto ahead = std::exchange(s.training, {}).ahead;
  if (ahead && ahead->report) s.request = ahead->next;
  if (auto* phase = std::get_if<registering>(&s.phase)) phase->stay_out_of = 0;
  if (!std::holds_alternative<lingering>(s.phase)) enter_registering(s, {.let_in = true});
  auto* phase = std::get_if<registering>(&s.phase);
  if (ahead && !ahead->report && phase != nullptr) phase->evaluating = ahead->of;
}

void peer_machine::drop_session() {
  if (auto* s = std::get_if<session>(&state_)) drop_work(*s);
  calls_.end_session();
  models_.fetching.reset();
  state_ = outside{};
}

void peer_machine::end_session(bool node_ends, std::string text) {
  drop_session();
  act(action::session_ended{node_ends, std::move(text)});
}

void peer_machine::refuse_program(const std::string& text) {
  act(action::refuse{text});
  end_session(false, text);
}

/// A program that begins when the training is over would get the model of a run that it had no part in; one that resumes
/// asks for that.
bool peer_machine::is_late(const session& s) const {
  const auto* phase = std::get_if<registering>(&s.phase);
  return phase != nullptr && !phase->let_in && !s.params.resume && view_->head.phase == round_phase::complete;
}

void peer_machine::refuse_newcomer(const session& s, time_point now) {
  const auto contract = s.contract.empty() ? std::string("CONTRACT") : s.contract;
  refuse_program(
      fmt::format("this training is over: '{0}' is complete since round {1}. To train again start it over "
                  "with 'swarm-inspect reset {0}' beside an SN, then start this program again",
                  contract, view_->head.merged_round));
  wait_for("no program", now);
}

/// Seen once the first round is closed, so that a peer that registers a little later still counts.
bool peer_machine::is_invalid(const session& s) const {
  const auto& training = s.training;
  const auto& head = view_->head;
  if (training.loaded || !training.checked_in || head.phase == round_phase::complete) return false;
  const bool was_closed = contracts::is_closed(head.phase) || head.merged_round >= *training.checked_in;
  return was_closed && has_no_final_model(*view_);
}

void peer_machine::refuse_inactive(const session& s, time_point now) {
  if (has_to_leave(s)) leave(s.contract, contracts::leave_reason::no_final_model);
  refuse_program(
      "checkinModelOnTrainEnd is 'inactive' on every node, so nobody's last model would be in the final "
      "merge: let at least one node have 'snapshot' or 'active', and minPeers so large that it is "
      "waited for");
  wait_for("no program", now);
}

std::uint64_t peer_machine::brought_to() const {
  const auto* s = std::get_if<session>(&state_);
  return s != nullptr ? s->training.brought_to : 0;
}

void peer_machine::leave(const std::string& contract, contracts::leave_reason why) {
  if (calls_.is_leaving()) return;
  act(calls_.send_leave({0, contract, contracts::encode_leave_peer({why}), "leave the training"}));
}

/// Whether this node must leave, as far as it knows. A registration under way comes before the leave,
/// by its nonce.
bool peer_machine::has_to_leave(const session& s) const {
  const auto* phase = std::get_if<registering>(&s.phase);
  return s.training.registered || calls_.is_registering() || (phase != nullptr && phase->takes_over);
}

void peer_machine::send(const session& s, calls::kind what, bytes input, std::string text) {
  const auto& head = view_->head;
  act(calls_.send_step({0, what, s.training.generation, head.round_num, head.term},
                       {0, s.contract, std::move(input), std::move(text)}));
}

bool peer_machine::is_needed() const {
  return view_ && !peers_that_miss_the_merge(*view_, options_.self).empty();
}

bool peer_machine::is_in(const session& s) const {
  return s.training.checked_in == view_->head.round_num;
}

void peer_machine::wait_for(std::string what, time_point now) {
  if (what == waiting_for_) return;
  waiting_for_ = std::move(what);
  waiting_since_ = now;
}

std::string_view peer_machine::session_word() const {
  const auto* s = std::get_if<session>(&state_);
  if (s == nullptr) return std::get<outside>(state_).ending || calls_.is_leaving() ? "serving" : "none";
  if (std::holds_alternative<lingering>(s->phase)) return "serving";
  const auto& ahead = s->training.ahead;
  if (s->request && !(ahead && ahead->report && !ahead->next)) return "waiting";
  return s->training.registered ? "training" : "opening";
}

std::string peer_machine::waiting_for(time_point now) const {
  if (waiting_for_.empty()) return std::string(waits_for());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - waiting_since_).count();
  return fmt::format("{}, for {} s", waiting_for_, std::max<std::int64_t>(0, seconds));
}

} // namespace swarm::rounds
