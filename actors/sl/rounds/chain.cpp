#include "actors/sl/rounds/peer_machine.hpp"

#include <algorithm>

// Views of the contract and receipts from the chain, and ticks, which make up for events that got lost.
namespace swarm::rounds {

namespace {
constexpr auto look_pause = std::chrono::milliseconds(50);
} // namespace

void peer_machine::step(const event::view_read& read, time_point now) {
  if (is_too_old(*read.view, now)) return;
  view_ = read.view;
  auto* s = std::get_if<session>(&state_);
  if (s != nullptr && s->training.generation != 0 && view_->head.generation != s->training.generation) {
    if (s->training.registered)
      act(action::note{true,
                       "the training contract was reset; taking part in the new training from round 1"});
    forget_generation(*s);
  }
  if (s != nullptr && view_->head.phase == contracts::round_phase::collecting
      && std::exchange(s->training.marks.opened_round, view_->head.round_num) != view_->head.round_num)
    s->training.marks.opened_at = now;
  end_when_done(now);
  reconcile(now);
}

/// Whether a view is older than this node's last transaction and must be ignored. If the chain stays that
/// short, it was replaced, and what this node did on the old one does not count.
bool peer_machine::is_too_old(const contract_view& view, time_point now) {
  if (view.block_num >= fresh_from_) {
    behind_since_.reset();
    return false;
  }
  if (!behind_since_) {
    behind_since_ = now;
    act(action::refresh{});
  }
  if (now - *behind_since_ < options_.chain_lost) return true;
  act(action::note{true, fmt::format("the SN's chain ends at block {}, below block {} of this node's last "
                                     "transaction: it is another chain; starting over",
                                     view.block_num, fresh_from_)});
  fresh_from_ = 0;
  behind_since_.reset();
  if (auto* s = std::get_if<session>(&state_)) forget_generation(*s);
  return false;
}

void peer_machine::step(const event::call_done& done, time_point now) {
  fresh_from_ = std::max(fresh_from_, done.block_num);
  if (calls_.is_sure(done.id)) return sure_call_done(done, now);
  const auto call = calls_.take_step(done.id);
  if (!call) return;
  step_call_done(std::get<session>(state_), *call, done, now);
  // That all have revealed is told by an event, and nothing is to be done before.
  if (!done.ok || call->what != calls::kind::reveal) act(action::refresh{});
  reconcile(now);
}

/// A step call was answered. If the contract refused it because it has moved on, the next view shows that.
void peer_machine::step_call_done(session& s, const calls::step_call& call, const event::call_done& done,
                                  time_point now) {
  if (done.ok) {
    calls_.step_succeeded();
    if (call.generation == s.training.generation) step_call_succeeded(s, call);
    return;
  }
  const bool has_receipt = done.block_num > 0;
  calls_.step_failed(has_receipt, now);
  if (!has_receipt) {
    act(action::note{true,
                     fmt::format("a call of the training contract was lost: {}; trying again", done.text)});
    return;
  }
  if (call.what == calls::kind::register_peer) {
    if (auto* phase = std::get_if<registering>(&s.phase)) phase->refused = done.text;
    return;
  }
  if (call.what == calls::kind::check_in && may_contest_layout(s)) s.training.layout_refused = true;
  if (call.what == calls::kind::accuse) accusation_refused(s, now);
  if (call.what == calls::kind::challenge) s.training.checks.refused = true;
  // The contract either has it already, from the former process, or it came too late.
  if (call.what == calls::kind::suspect || call.what == calls::kind::vote_close
      || call.what == calls::kind::reveal)
    step_call_succeeded(s, call);
  act(action::note{
      false, fmt::format("the training contract refused a call: {}; reading the contract again", done.text)});
}

void peer_machine::step_call_succeeded(session& s, const calls::step_call& call) {
  auto& training = s.training;
  switch (call.what) {
  case calls::kind::register_peer:
    training.registered = true;
    break;
  case calls::kind::check_in:
    training.checked_in = call.round_num;
    training.marks.checked_in = {call.round_num, call.term};
    training.marks.revealed.reset();
    if (s.request && s.request->weightage > 0) training.brought_to = call.round_num;
    break;
  case calls::kind::reveal:
    training.marks.revealed = {call.round_num, call.term};
    break;
  case calls::kind::vote_close:
    training.marks.voted = {call.round_num, call.term};
    break;
  case calls::kind::suspect:
    training.marks.suspected = {call.round_num, call.term};
    break;
  case calls::kind::challenge:
    training.checks.challenged = true;
    break;
  case calls::kind::commit:
  case calls::kind::commit_shard:
  case calls::kind::measure_shard:
  case calls::kind::reveal_seed:
  case calls::kind::attest:
  case calls::kind::judge:
  case calls::kind::close_checks:
  case calls::kind::close_reveals:
  case calls::kind::accuse:
  case calls::kind::answer:
    break;
  }
}

void peer_machine::sure_call_done(const event::call_done& done, time_point now) {
  if (!done.ok && done.block_num == 0) return calls_.sure_call_lost(done.id, now);
  if (!done.ok) act(action::note{false, fmt::format("{}: refused: {}", calls_.text_of(done.id), done.text)});
  if (calls_.sure_call_done(done.id)) act(action::refresh{});
  end_when_done(now);
  reconcile(now);
}

void peer_machine::step(const event::tick&, time_point now) {
  auto* s = std::get_if<session>(&state_);
  if (s != nullptr) look_at_contract(*s, now);
  for (auto& call : calls_.due(now))
    act(std::move(call));
  if (auto* o = std::get_if<outside>(&state_)) look_at_peers(*o, now);
  end_when_done(now);
  reconcile(now);
}

/// Reads a contract that does not move again now and then, as events can get lost with a connection.
void peer_machine::look_at_contract(session& s, time_point now) {
  if (now < s.refresh_at) return;
  s.refresh_at = now + options_.probe_interval;
  const auto* phase = std::get_if<registering>(&s.phase);
  const bool asked_in = phase != nullptr && !phase->let_in;
  if (s.request || asked_in || behind_since_ || std::holds_alternative<lingering>(s.phase))
    act(action::refresh{});
}

/// Looks now and then whether a peer still needs a merge that is here.
void peer_machine::look_at_peers(outside& o, time_point now) {
  if (!view_ || now < o.look_at || (!is_behind() && !is_needed())) return;
  o.look_at = now + look_pause;
  act(action::refresh{});
}

/// Ends the node once it has left and nobody waits for a merge that only it has.
void peer_machine::end_when_done(time_point now) {
  auto* o = std::get_if<outside>(&state_);
  // A node that ended before it left would keep its peers waiting.
  if (o == nullptr || !o->ending || calls_.is_leaving()) return;
  if (now < o->ending_until && (is_behind() || is_needed())) return;
  act(action::session_ended{true, *std::exchange(o->ending, std::nullopt)});
}

} // namespace swarm::rounds
