#include "actors/rounds/peer_machine.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <cmath>

namespace swarm::rounds {

using contracts::peer_state;
using contracts::round_phase;

namespace {
/// A program closes its pipes when it has read the last answer; one that does not is not waited for longer.
constexpr auto read_answer_max = std::chrono::seconds(5);
} // namespace

std::vector<machine_action> peer_machine::take_actions() {
  return std::exchange(actions_, {});
}

void peer_machine::on_open(session_params params, time_point now) {
  drop_session();
  ended_why_.reset();
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
  in_round_ = false;
  caught_up_ = true;
  base_round_ = asked_round_;
  base_digest_ = asked_digest_;
  if (registered_ || view_->head.phase == round_phase::complete) {
    act(action::call{next_call_id_++,
                     contracts::encode_report_loss(
                         {generation_, base_round_, contracts::to_micro(report.loss),
                          contracts::to_micro(report.metric), report.epochs_done, report.epochs_total}),
                     fmt::format("report the loss of round {}", base_round_)});
  }
  if (request_ == request::sync) {
    request_ = request::none;
    const bool over = view_->head.phase == round_phase::complete;
    act(action::answer_sync{next_interval(), over});
    enter(over ? "training is complete, the program may go on without syncs" : "training locally", now);
  }
  reconcile(now);
}

void peer_machine::on_program_gone(std::string reason, bool orderly, time_point now) {
  if (!session_) return;
  if (lingering_) { // it has its final model; others may still need ours
    program_served_ = true;
    return reconcile(now);
  }
  // A registration under way comes before the leave, by its nonce.
  if (registered_ || (call_ && call_->kind == call_kind::register_peer)) leave(reason);
  act(action::note{!orderly, fmt::format("the program is gone: {}", reason)});
  drop_session();
  if (orderly && leaving_) {
    ended_why_ = std::move(reason); // a node that ended before it has left would keep its peers waiting
  } else {
    act(action::session_ended{orderly, std::move(reason)});
  }
  enter("no program", now);
}

void peer_machine::leave(std::string_view reason) {
  if (leaving_) return;
  leaving_ = next_call_id_;
  act(action::call{next_call_id_++,
                   contracts::encode_leave_peer({std::string(reason.substr(0, contracts::reason_bytes_max))}),
                   "leave the training"});
}

void peer_machine::on_view(contract_view view, time_point now) {
  if (view.block_num < fresh_from_) {
    act(action::refresh{});
    return;
  }
  view_ = std::move(view);
  if (registered_ && view_->head.generation != generation_) {
    act(action::note{true, "the training contract was reset; taking part in the new training from round 1"});
    forget_generation();
  }
  reconcile(now);
}

void peer_machine::on_call_done(std::uint64_t id, bool ok, std::uint64_t block_num, std::string text,
                                time_point now) {
  fresh_from_ = std::max(fresh_from_, block_num);
  if (leaving_ == id) {
    leaving_.reset();
    if (ended_why_) act(action::session_ended{true, *std::exchange(ended_why_, std::nullopt)});
  }
  if (!call_ || call_->id != id) {
    if (!ok) act(action::note{true, fmt::format("the training contract refused a call: {}", text)});
    return;
  }
  const auto done = *std::exchange(call_, std::nullopt);
  if (ok) {
    switch (done.kind) {
    case call_kind::register_peer:
      registered_ = true;
      break;
    case call_kind::check_in:
      checked_in_round_ = done.round_num;
      in_round_ = true;
      break;
    case call_kind::vote_close:
      voted_round_ = done.round_num;
      break;
    case call_kind::suspect:
      suspected_ = {done.round_num, done.term};
      break;
    default:
      break;
    }
  } else if (done.kind == call_kind::register_peer) {
    // Only the operator or the program's author can mend this; the program hears it from its SwarmCallback.
    act(action::refuse{text});
    end_session(false, text);
    return;
  } else {
    act(action::note{false, fmt::format("the training contract refused: {}; reading it again", text)});
  }
  act(action::refresh{});
  reconcile(now);
}

void peer_machine::on_fetched(const hash32& digest, result<hash32> layout, time_point now) {
  if (fetching_ != digest) return;
  fetching_.reset();
  if (layout) {
    local_.insert(digest);
  } else {
    act(action::note{true, fmt::format("cannot get the merged model {} yet: {}", to_hex(digest.view()),
                                       layout.error().message)});
    fetch_again_ = now + std::chrono::seconds(1);
    act(action::refresh{});
  }
  reconcile(now);
}

void peer_machine::on_merged(std::uint64_t round_num, std::uint32_t term, result<merge_outcome> outcome,
                             time_point now) {
  if (!merging_ || *merging_ != std::pair{round_num, term}) return;
  if (outcome) {
    local_.insert(outcome->digest);
    merged_ = std::move(*outcome);
  } else {
    act(action::note{true, fmt::format("merging round {} failed: {}", round_num, outcome.error().message)});
    merging_.reset();
    merge_again_ = now + std::chrono::seconds(1);
  }
  reconcile(now);
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
    if (request_ != request::none || lingering_) act(action::refresh{});
  }
  reconcile(now);
}

// ---------------------------------------------------------------------------------------------------------------

/// Compares what is with what should be and asks for the next step. Called after every event; asks for
/// nothing twice, as every step leaves a mark until its answer is in.
void peer_machine::reconcile(time_point now) {
  if (!session_ || !view_ || call_ || leaving_ || view_->block_num < fresh_from_) return;
  if (lingering_) return linger(now);
  const auto& head = view_->head;
  if (registered_ && head.phase != round_phase::complete) {
    const auto* self = find_peer(options_.self);
    if (self == nullptr || self->state == peer_state::left) registered_ = false;
  }
  if (!registered_ && head.phase != round_phase::complete) return register_self();
  generation_ = head.generation;
  if (!open_answered_) {
    open_answered_ = true;
    act(action::answer_open{});
    enter("waiting for the program's first sync", now);
  }
  if (request_ != request::none) serve_request(now);
}

void peer_machine::register_self() {
  generation_ = view_->head.generation;
  send(call_kind::register_peer,
       contracts::encode_register_peer({session_->min_peers, session_->merge_method, session_->weightage,
                                        session_->on_train_end, session_->epochs_total, options_.can_lead}),
       "register as a peer of the training");
}

void peer_machine::serve_request(time_point now) {
  if (asking_loss_) return enter("the program evaluates the merged model", now);
  const auto& head = view_->head;
  if (head.phase == round_phase::complete) return serve_complete(now);
  const bool round_done = in_round_ && head.merged_round >= checked_in_round_;
  const bool joins_late = !caught_up_ && !in_round_ && head.merged_round > 0 && request_ == request::sync;
  if (request_ == request::sync && (round_done || joins_late)) {
    load_merged(now);
    return;
  }
  if (round_done) { // its training is over: the program is left alone until the last merge
    in_round_ = false;
    base_round_ = head.merged_round;
    base_digest_ = head.merged_digest;
  }
  take_part(now);
}

/// The contract is complete: hand over the final model, then let the program go.
void peer_machine::serve_complete(time_point now) {
  const auto& head = view_->head;
  // By round, as the last merge may have changed nothing: its loss report tells the others that this node has
  // it.
  const bool has_final =
      caught_up_ && asked_round_ == head.merged_round && asked_digest_ == head.merged_digest;
  if (!has_final && head.merged_round > 0) {
    load_merged(now);
    return;
  }
  if (request_ == request::sync) {
    request_ = request::none;
    act(action::answer_sync{next_interval(), true});
    return;
  }
  request_ = request::none;
  act(action::answer_close{});
  act(action::note{false, fmt::format("training complete after round {}, final model {}", head.merged_round,
                                      to_hex(head.merged_digest.view()))});
  lingering_ = true;
  program_served_ = false;
  linger_until_ = now + read_answer_max;
  linger_pause_ = std::chrono::milliseconds(50);
  refresh_at_ = now;
  enter("program served, waiting until every peer has the final model", now);
  linger(now);
}

void peer_machine::take_part(time_point now) {
  const auto& head = view_->head;
  if (head.phase == round_phase::collecting) {
    if (!is_in()) return check_in(now);
    return wait_for_peers(now);
  }
  if (!is_in())
    return enter(fmt::format("came late for round {}, contributes to the next one", head.round_num), now);
  if (head.leader == options_.self) return lead(now);
  wait_for_merge(now);
}

void peer_machine::check_in(time_point now) {
  const auto& head = view_->head;
  const bool finished = request_ == request::close;
  auto model = model_;
  if (finished && session_->on_train_end == contracts::on_train_end::active && head.merged_round > 0) {
    // It passes on what it got: the last merge, which must be here for the leader to fetch.
    if (!local_.contains(head.merged_digest)) {
      get_merged(now);
      return;
    }
    model = {head.merged_digest, head.merged_size, head.layout_digest};
  }
  const std::set<hash32> keep{model.digest, base_digest_, head.merged_digest};
  act(action::keep_models{keep});
  std::erase_if(local_, [&](const hash32& digest) { return !keep.contains(digest); });
  const bool counts = weightage_ > 0;
  if (counts && !head.layout_digest.is_zero() && head.layout_digest != model.layout) return refuse_layout();
  send(call_kind::check_in,
       contracts::encode_check_in({generation_, head.round_num, counts ? model.digest : hash32{},
                                   counts ? model.size : 0, counts ? model.layout : hash32{}, weightage_,
                                   base_round_, finished}),
       fmt::format("check in for round {}", head.round_num));
  call_->round_num = head.round_num;
}

void peer_machine::refuse_layout() {
  const auto& head = view_->head;
  action::refuse_layout refusal{model_.digest, head.merged_digest, head.merged_size, holders_of_merge()};
  if (head.merged_round == 0) {
    for (const auto& in : view_->check_ins) {
      if (in.weightage == 0 || in.peer == options_.self) continue;
      refusal.other = in.digest;
      refusal.other_size = in.size;
      refusal.holders = {{in.peer, in.endpoint}};
      break;
    }
  }
  act(std::move(refusal));
  if (registered_) leave("its model has other parameters than its peers'");
  end_session(false, "the program's model has other parameters than its peers'");
}

void peer_machine::wait_for_peers(time_point now) {
  const auto& head = view_->head;
  const auto missing = missing_peers();
  if (head.checked_in < head.min_peers) {
    grace_round_ = 0;
    return enter(fmt::format("round {}: {} of at least {} peers are in, waiting for {}", head.round_num,
                             head.checked_in, head.min_peers,
                             missing.empty() ? "more to join" : names_of(missing)),
                 now);
  }
  enter(fmt::format("round {}: enough peers are in, still waiting for {}", head.round_num, names_of(missing)),
        now);
  if (grace_round_ != head.round_num) {
    grace_round_ = head.round_num;
    grace_since_ = now;
  }
  if (voted_round_ == head.round_num || now - grace_since_ < options_.grace) return;
  // A peer that still trains is not cut off by one that has finished, unless its node is dead.
  const bool all_silent = std::all_of(missing.begin(), missing.end(), [this](const auto* peer) {
    return view_->silent.contains(peer->account);
  });
  if (request_ == request::close && !all_silent) return;
  send(call_kind::vote_close, contracts::encode_vote_close({generation_, head.round_num}),
       fmt::format("vote to close round {} without {}", head.round_num, names_of(missing)));
  call_->round_num = head.round_num;
}

void peer_machine::lead(time_point now) {
  const auto& head = view_->head;
  const std::pair key{head.round_num, head.term};
  if (merging_ == key) {
    if (!merged_) return;
    send(call_kind::commit,
         contracts::encode_commit_merge({generation_, head.round_num, head.term, merged_->digest,
                                         merged_->size, merged_->contributors, merged_->excluded,
                                         merged_->reasons}),
         fmt::format("commit the merge of round {}", head.round_num));
    return;
  }
  if (now < merge_again_) return;
  merging_ = key;
  merged_.reset();
  action::start_merge start{head.round_num, head.term, head.merge_method, {}};
  for (const auto& in : view_->check_ins) {
    if (in.weightage == 0) continue;
    const auto previous = head.round_num - 1;
    // The weights of a finished peer are meant to stay as they are; others' lose value while the swarm moves
    // on.
    const auto age = in.finished || in.base_round >= previous ? 0 : previous - in.base_round;
    const auto* peer = find_peer(in.peer);
    start.inputs.push_back({in.peer, peer != nullptr ? peer->name : to_hex(in.peer.view()), in.endpoint,
                            in.digest, in.size,
                            static_cast<double>(in.weightage) / static_cast<double>(1 + age)});
  }
  enter(fmt::format("leading round {}, term {}: merging {} models", head.round_num, head.term,
                    start.inputs.size()),
        now);
  act(std::move(start));
}

void peer_machine::wait_for_merge(time_point now) {
  const auto& head = view_->head;
  if (merging_) {
    act(action::cancel_merge{});
    merging_.reset();
  }
  const auto* leader = find_peer(head.leader);
  enter(fmt::format("round {}: waiting for {} to merge (term {})", head.round_num,
                    leader != nullptr ? leader->name : to_hex(head.leader.view()), head.term),
        now);
  watch_leader(now);
}

/// A leader that is slow is given time, one that makes no progress is not.
void peer_machine::watch_leader(time_point now) {
  const auto& head = view_->head;
  const std::pair key{head.round_num, head.term};
  if (watched_ != key) {
    watched_ = key;
    leader_progress_ = 0;
    leader_progress_at_ = now;
    probe_at_ = now + options_.probe_interval;
  }
  if (now >= probe_at_) {
    probe_at_ = now + options_.probe_interval;
    const auto* leader = find_peer(head.leader);
    if (leader != nullptr)
      act(action::probe_leader{head.leader, leader->endpoint, head.round_num, head.term});
  }
  const bool told =
      suspected_.first == head.round_num && suspected_.second >= static_cast<std::int64_t>(head.term);
  if (told || now - leader_progress_at_ < options_.leader_stall) return;
  send(call_kind::suspect, contracts::encode_suspect_leader({generation_, head.round_num, head.term}),
       fmt::format("suspect the leader of round {}, term {}", head.round_num, head.term));
  call_->round_num = head.round_num;
  call_->term = head.term;
}

/// Sees to it that the newest merged model is in the store. True once it is.
bool peer_machine::get_merged(time_point now) {
  const auto& head = view_->head;
  if (local_.contains(head.merged_digest)) return true;
  if (fetching_ || now < fetch_again_) return false;
  fetching_ = head.merged_digest;
  act(action::fetch{head.merged_digest, head.merged_size, holders_of_merge()});
  enter(fmt::format("fetching the merged model of round {}", head.merged_round), now);
  return false;
}

/// Gets the newest merged model and hands it to the program.
void peer_machine::load_merged(time_point now) {
  const auto& head = view_->head;
  if (!head.layout_digest.is_zero() && head.layout_digest != model_.layout) return refuse_layout();
  if (!get_merged(now)) return;
  asking_loss_ = true;
  asked_round_ = head.merged_round;
  asked_digest_ = head.merged_digest;
  act(action::ask_loss{head.merged_digest, head.merged_round});
  enter(fmt::format("the program loads the merged model of round {}", head.merged_round), now);
}

/// The node that merged first, then those that reported a loss for it and so have it, then the others.
std::vector<holder> peer_machine::holders_of_merge() const {
  const auto& head = view_->head;
  std::vector<holder> out;
  const auto add = [&](auto&& belongs) {
    for (const auto& peer : view_->peers)
      if (peer.account != options_.self && !peer.endpoint.empty() && belongs(peer))
        out.push_back({peer.account, peer.endpoint});
  };
  const auto merged_it = [&](const auto& peer) { return peer.account == head.merged_by; };
  const auto loaded_it = [&](const auto& peer) { return peer.loss_round >= head.merged_round; };
  add(merged_it);
  add([&](const auto& peer) { return !merged_it(peer) && loaded_it(peer); });
  add([&](const auto& peer) { return !merged_it(peer) && !loaded_it(peer); });
  return out;
}

/// After its program is served, a node keeps serving its files until every peer has loaded the final model,
/// is gone, or gives no sign of life.
void peer_machine::linger(time_point now) {
  const auto final_round = view_->head.merged_round;
  const bool all_have_it = std::all_of(view_->peers.begin(), view_->peers.end(), [&](const auto& peer) {
    return peer.loss_round >= final_round || peer.state == peer_state::left
           || peer.state == peer_state::absent || view_->silent.contains(peer.account);
  });
  const bool other_training =
      view_->head.generation != generation_ || view_->head.phase != round_phase::complete;
  if (all_have_it || other_training) {
    if (program_served_ || now >= linger_until_) end_session(true, "training complete");
    return;
  }
  if (now < refresh_at_) return;
  refresh_at_ = now + linger_pause_;
  linger_pause_ = std::min<duration>(linger_pause_ * 2, options_.probe_interval);
  act(action::refresh{});
}

void peer_machine::drop_session() {
  session_.reset();
  request_ = request::none;
  registered_ = open_answered_ = lingering_ = asking_loss_ = false;
  fetching_.reset();
  if (merging_) act(action::cancel_merge{});
  merging_.reset();
  merged_.reset();
  call_.reset();
  forget_generation();
}

void peer_machine::end_session(bool completed, std::string why) {
  drop_session();
  act(action::session_ended{completed, std::move(why)});
}

void peer_machine::forget_generation() {
  registered_ = caught_up_ = in_round_ = false;
  checked_in_round_ = voted_round_ = base_round_ = grace_round_ = 0;
  base_digest_ = {};
  suspected_ = {0, -1};
  watched_ = {};
  mean_loss_.reset();
}

void peer_machine::send(call_kind kind, bytes input, std::string what) {
  SWARM_ASSERT(!call_);
  call_ = pending_call{next_call_id_, kind, 0, 0};
  act(action::call{next_call_id_++, std::move(input), std::move(what)});
}

void peer_machine::enter(std::string phase, time_point now) {
  if (phase == phase_) return;
  phase_ = std::move(phase);
  phase_since_ = now;
}

std::string peer_machine::waiting_for(time_point now) const {
  if (phase_.empty()) return "no program";
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - phase_since_).count();
  return fmt::format("{}, for {} s", phase_, std::max<std::int64_t>(0, seconds));
}

const contracts::peer_view* peer_machine::find_peer(const address& who) const {
  const auto found =
      std::find_if(view_->peers.begin(), view_->peers.end(), [&](const auto& p) { return p.account == who; });
  return found == view_->peers.end() ? nullptr : &*found;
}

std::vector<const contracts::peer_view*> peer_machine::missing_peers() const {
  std::vector<const contracts::peer_view*> out;
  for (const auto& peer : view_->peers) {
    if (peer.state != peer_state::active && peer.state != peer_state::finished) continue;
    const bool in = std::any_of(view_->check_ins.begin(), view_->check_ins.end(),
                                [&](const auto& c) { return c.peer == peer.account; });
    if (!in) out.push_back(&peer);
  }
  return out;
}

std::string peer_machine::names_of(const std::vector<const contracts::peer_view*>& peers) const {
  constexpr std::size_t shown_max = 5;
  std::string out;
  for (std::size_t i = 0; i < peers.size() && i < shown_max; ++i) {
    out += (i == 0 ? "" : ", ") + peers[i]->name;
    if (view_->silent.contains(peers[i]->account)) out += " (no sign of life)";
  }
  if (peers.size() > shown_max) out += fmt::format(" and {} more", peers.size() - shown_max);
  return out.empty() ? "nobody" : out;
}

std::uint32_t peer_machine::next_interval() {
  if (!session_->adaptive_sync) return interval_;
  double sum = 0;
  int count = 0;
  for (const auto& peer : view_->peers) {
    if (peer.loss_round == 0 || std::isnan(contracts::from_micro(peer.loss_micro))) continue;
    sum += contracts::from_micro(peer.loss_micro);
    ++count;
  }
  if (count == 0) return interval_;
  interval_ = adaptive_interval(interval_, session_->sync_interval, mean_loss_, sum / count);
  mean_loss_ = sum / count;
  return interval_;
}

std::uint32_t adaptive_interval(std::uint32_t current, std::uint32_t asked, std::optional<double> loss_before,
                                double loss_now) {
  if (!loss_before) return std::max<std::uint32_t>(1, current);
  const double factor = loss_now < *loss_before ? 1.25 : 0.8;
  const double low = std::max(1.0, asked / 4.0);
  const double high = std::max(1.0, asked * 4.0);
  return static_cast<std::uint32_t>(std::clamp(std::round(current * factor), low, high));
}

} // namespace swarm::rounds
