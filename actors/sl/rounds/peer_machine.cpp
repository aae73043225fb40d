#include "actors/sl/rounds/peer_machine.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cmath>

namespace swarm::rounds {

using contracts::peer_state;
using contracts::round_phase;

namespace {
/// A program closes its pipes when it has read the last answer; one that does not is not waited for longer.
constexpr auto read_answer_max = std::chrono::seconds(5);
constexpr auto look_pause_first = std::chrono::milliseconds(50);
constexpr auto call_pause = std::chrono::seconds(1);
constexpr auto merge_pause_max = std::chrono::seconds(30);
constexpr auto fetch_pause_first = std::chrono::milliseconds(500);
constexpr auto fetch_pause_max = std::chrono::seconds(5);
} // namespace

std::vector<machine_action> peer_machine::take_actions() {
  return std::exchange(actions_, {});
}

void peer_machine::on_open(session_params params, time_point now) {
  drop_session();
  ending_.reset();
  view_.reset(); // it may be of another contract
  interval_ = std::max<std::uint32_t>(1, params.sync_interval);
  session_ = std::move(params);
  act(action::refresh{});
  reconcile(now);
}

void peer_machine::on_sync(model_ref model, std::uint32_t weightage, time_point now) {
  if (!session_) return;
  request_ = request::sync;
  model_ = model;
  weightage_ = weightage;
  act(action::refresh{});
  reconcile(now);
}

void peer_machine::on_close(model_ref model, std::uint32_t weightage, time_point now) {
  if (!session_) return;
  request_ = request::close;
  model_ = model;
  weightage_ = weightage;
  act(action::refresh{});
  reconcile(now);
}

void peer_machine::on_loss(loss_report report, time_point now) {
  if (!asking_loss_ || !view_) return;
  asking_loss_ = false;
  // A merge of a training that was reset meanwhile means nothing to the new one.
  if (asked_generation_ == generation_) {
    in_round_ = false;
    caught_up_ = true;
    base_round_ = asked_round_;
    base_digest_ = asked_digest_;
    loss_ = report;
    if (find_peer(options_.self) != nullptr) report_loss();
  }
  if (request_ == request::sync) {
    request_ = request::none;
    const bool over = view_->head.phase == round_phase::complete;
    act(action::answer_sync{next_interval(), over});
    enter(over ? "training is complete, the program may go on without syncs" : "training locally", now);
  }
  reconcile(now);
}

void peer_machine::report_loss() {
  report_ = send_surely(contracts::encode_report_loss(
                            {generation_, base_round_, contracts::to_micro(loss_.loss),
                             contracts::to_micro(loss_.metric), loss_.epochs_done, loss_.epochs_total}),
                        fmt::format("report the loss of round {}", base_round_));
}

void peer_machine::on_program_gone(std::string reason, bool orderly, time_point now) {
  if (!session_) return;
  if (lingering_) { // it has its final model; others may still need ours
    program_served_ = true;
    return reconcile(now);
  }
  if (may_be_listed()) leave(reason);
  act(action::note{!orderly, fmt::format("the program is gone: {}", reason)});
  if (!orderly) {
    end_session(false, std::move(reason));
  } else {
    drop_session();
    ending_ = fmt::format("left the training before its end, as the program wished: {}", reason);
    ending_until_ = now + read_answer_max;
    end_when_done(now);
  }
  enter("no program", now);
}

void peer_machine::on_shutdown(time_point now) {
  if (session_) {
    if (may_be_listed()) leave("its node was told to stop");
    drop_session();
  }
  ending_.reset();
  enter("told to stop", now);
}

void peer_machine::on_former_session(time_point now) {
  leave("its node was started again");
  enter("leaving for the process before this one", now);
}

void peer_machine::leave(std::string_view reason) {
  if (leaving_) return;
  leaving_ = send_surely(contracts::encode_leave_peer({reason_text(reason)}), "leave the training");
}

/// The node ends once it has left and nobody waits for a merge that only it has.
void peer_machine::end_when_done(time_point now) {
  if (!ending_ || leaving_) return; // a node that ended before it has left would keep its peers waiting
  if (now < ending_until_ && (is_behind() || is_needed())) return;
  act(action::session_ended{true, *std::exchange(ending_, std::nullopt)});
}

void peer_machine::on_view(contract_view view, time_point now) {
  if (too_old(view, now)) return;
  view_ = std::move(view);
  if (session_ && generation_ != 0 && view_->head.generation != generation_) {
    if (registered_)
      act(action::note{true,
                       "the training contract was reset; taking part in the new training from round 1"});
    forget_generation();
  }
  end_when_done(now);
  reconcile(now);
}

/// A view from before this node's last transaction says nothing, unless the chain stays that short: then it
/// was replaced, and what this node has done on the old one does not count.
bool peer_machine::too_old(const contract_view& view, time_point now) {
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
  if (session_) forget_generation();
  return false;
}

void peer_machine::on_call_done(std::uint64_t id, bool ok, std::uint64_t block_num, std::string text,
                                time_point now) {
  fresh_from_ = std::max(fresh_from_, block_num);
  if (sure_calls_.contains(id)) return sure_call_done(id, ok, block_num > 0, text, now);
  if (!call_ || call_->id != id) return; // of a session that is gone
  const auto done = *std::exchange(call_, std::nullopt);
  if (ok) {
    failed_calls_ = 0;
    if (done.generation == generation_) call_succeeded(done);
  } else {
    call_failed(done, block_num > 0, text, now);
  }
  act(action::refresh{});
  reconcile(now);
}

void peer_machine::call_succeeded(const pending_call& done) {
  switch (done.kind) {
  case call_kind::register_peer:
    registered_ = true;
    break;
  case call_kind::check_in:
    checked_in_round_ = done.round_num;
    in_round_ = true;
    break;
  case call_kind::vote_close:
    voted_ = {done.round_num, done.term};
    break;
  case call_kind::suspect:
    suspected_ = {done.round_num, done.term};
    break;
  case call_kind::commit:
    break;
  }
}

/// What the contract refuses because it has moved on shows in the next view. Whatever fails again and again
/// is not tried without a pause.
void peer_machine::call_failed(const pending_call& failed, bool has_receipt, const std::string& text,
                               time_point now) {
  if (++failed_calls_ > 1 || !has_receipt) call_again_ = now + call_pause;
  if (!has_receipt) {
    act(action::note{true, fmt::format("a call of the training contract was lost: {}; trying again", text)});
    return;
  }
  if (failed.kind == call_kind::register_peer) {
    registration_refused_ = text;
    return;
  }
  // Either it has this voice already, as the process before this one has raised it, or it is too late for it.
  if (failed.kind == call_kind::suspect || failed.kind == call_kind::vote_close) call_succeeded(failed);
  act(action::note{false, fmt::format("the training contract refused: {}; reading it again", text)});
}

void peer_machine::sure_call_done(std::uint64_t id, bool ok, bool has_receipt, const std::string& text,
                                  time_point now) {
  if (!ok && !has_receipt) {
    sure_calls_.at(id).again = now + call_pause;
    return;
  }
  if (!ok) act(action::note{false, fmt::format("{}: refused: {}", sure_calls_.at(id).call.what, text)});
  sure_calls_.erase(id);
  if (report_ == id) report_.reset();
  if (leaving_ == id) {
    leaving_.reset();
    act(action::refresh{});
  }
  end_when_done(now);
  reconcile(now);
}

void peer_machine::on_fetched(const hash32& digest, result<hash32> layout, time_point now) {
  if (fetching_ != digest) return;
  fetching_.reset();
  if (layout) {
    local_.insert(digest);
  } else if (view_ && session_ && view_->head.merged_digest == digest) {
    fetch_failed(layout.error().message, now);
  }
  reconcile(now);
}

void peer_machine::fetch_failed(const std::string& why, time_point now) {
  const auto& head = view_->head;
  if (failing_.first != head.merged_digest) {
    failing_ = {head.merged_digest, now};
    fetch_pause_ = fetch_pause_first;
  }
  act(action::note{true, fmt::format("cannot get the merged model {} of round {} yet: {}",
                                     to_hex(head.merged_digest.view()), head.merged_round, why)});
  fetch_again_ = now + fetch_pause_;
  fetch_pause_ = std::min<duration>(fetch_pause_ * 2, fetch_pause_max);
  act(action::refresh{}); // there may be other holders now
  if (now - failing_.second < options_.merge_lost) return;
  given_up_ = head.merged_digest;
  act(action::note{true,
                   fmt::format("the merged model of round {} is lost: nobody gives it", head.merged_round)});
}

void peer_machine::on_merged(std::uint64_t round_num, std::uint32_t term, result<merge_outcome> outcome,
                             time_point now) {
  if (!merging_ || *merging_ != std::pair{round_num, term}) return;
  if (outcome && outcome->contributors.empty()) {
    merging_.reset();
    nothing_merged(*outcome, now);
  } else if (outcome) {
    local_.insert(outcome->digest);
    merged_ = std::move(*outcome);
    merge_pause_ = merge_pause_first;
  } else {
    act(action::note{true, fmt::format("merging round {} failed: {}", round_num, outcome.error().message)});
    merging_.reset();
    merge_failed(now);
  }
  reconcile(now);
}

void peer_machine::merge_failed(time_point now) {
  merge_again_ = now + merge_pause_;
  merge_pause_ = std::min<duration>(merge_pause_ * 2, merge_pause_max);
}

/// Not one model of the round can be used. A program that brought one of them hears what is wrong with it;
/// without it the round goes to the next leader, or is collected anew.
void peer_machine::nothing_merged(const merge_outcome& outcome, time_point now) {
  const auto& out = outcome.excluded;
  const auto own = std::find(out.begin(), out.end(), options_.self);
  if (own != out.end() && request_ != request::none && is_in()) {
    const auto& reason = outcome.reasons.at(static_cast<std::size_t>(own - out.begin()));
    leave("its model cannot be merged, nor any other of the round");
    refuse_program(
        fmt::format("no model of round {} can be merged; this program's: {}", view_->head.round_num, reason));
    return enter("no program", now);
  }
  act(action::note{true, fmt::format("no model of round {} can be merged", view_->head.round_num)});
  const bool may_come = std::any_of(view_->check_ins.begin(), view_->check_ins.end(), [&](const auto& in) {
    const auto* peer = find_peer(in.peer);
    return in.weightage > 0 && in.peer != options_.self
           && (peer == nullptr || peer->state != peer_state::left);
  });
  if (may_come) return merge_failed(now); // once their nodes can be reached
  // Whoever brought a model has left. When the others leave too, the round is collected anew.
  leave("no model of the round can be merged");
  in_round_ = false;
  stay_out_of_ = view_->head.round_num;
}

void peer_machine::on_leader_progress(std::uint64_t round_num, std::uint32_t term, std::uint64_t progress,
                                      time_point now) {
  if (watched_ != std::pair{round_num, term} || progress == leader_progress_) return;
  leader_progress_ = progress;
  leader_progress_at_ = now;
}

void peer_machine::tick(time_point now) {
  // Events can get lost with a connection; a contract that does not move is read again now and then.
  if (session_ && now >= refresh_at_) {
    refresh_at_ = now + options_.probe_interval;
    if (request_ != request::none || !open_answered_ || lingering_ || behind_since_) act(action::refresh{});
  }
  for (auto& [id, sure] : sure_calls_) {
    if (!sure.again || now < *sure.again) continue;
    sure.again.reset();
    act(action::call(sure.call));
  }
  if (!session_ && view_ && (is_behind() || is_needed()) && now >= look_at_) {
    look_at_ = now + look_pause_first;
    act(action::refresh{});
  }
  end_when_done(now);
  reconcile(now);
}

} // namespace swarm::rounds
