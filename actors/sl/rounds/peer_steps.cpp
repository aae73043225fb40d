#include "actors/sl/rounds/peer_machine.hpp"
#include "base/assert.hpp"

#include <algorithm>
#include <cmath>

namespace swarm::rounds {

using contracts::peer_state;
using contracts::round_phase;

/// Compares what is with what should be and asks for the next step. Called after every event; asks for
/// nothing twice, as every step leaves a mark until its answer is in.
void peer_machine::reconcile(time_point now) {
  if (!session_ || !view_ || is_behind()) return;
  drop_stale_merge();
  if (call_ || leaving_ || now < call_again_) return;
  if (lingering_) return linger(now);
  take_up();
  const auto& head = view_->head;
  if (registered_ && head.phase != round_phase::complete) {
    const auto* self = find_peer(options_.self);
    if (self == nullptr || self->state == peer_state::left) registered_ = false;
  }
  const auto refused = std::exchange(registration_refused_, std::nullopt);
  if (!registered_ && head.phase != round_phase::complete) {
    // Only the operator or the program's author can mend this; the program hears it from its SwarmCallback.
    if (refused) return refuse_program(*refused);
    if (head.phase == round_phase::merging && head.round_num == stay_out_of_)
      return enter(
          fmt::format("round {}: none of its models can be merged, waiting for it to be collected anew",
                      head.round_num),
          now);
    stay_out_of_ = 0;
    return register_self();
  }
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
  recall_check_in();
  const bool round_done = in_round_ && head.merged_round >= checked_in_round_;
  const bool joins_late = !caught_up_ && !in_round_ && head.merged_round > 0 && request_ == request::sync;
  const bool lost = head.merged_digest == given_up_; // what it would have merged goes into the next round
  if (request_ == request::sync && (round_done || joins_late) && !lost) {
    load_merged(now);
    return;
  }
  if (round_done
      && request_ == request::close) { // its training is over: the program is left alone until the last merge
    in_round_ = false;
    base_round_ = head.merged_round;
    base_digest_ = head.merged_digest;
  }
  take_part(now);
}

void peer_machine::take_part(time_point now) {
  const auto& head = view_->head;
  if (head.phase == round_phase::collecting) {
    if (!is_in()) return check_in(now);
    return wait_for_peers(now);
  }
  // Also for what the process before this one has checked in.
  if (!is_in() && !is_listed()) return come_late(now);
  if (head.leader == options_.self) return lead(now);
  wait_for_merge(now);
}

void peer_machine::come_late(time_point now) {
  const auto& head = view_->head;
  const auto alive = [this](const auto& in) { return !view_->silent.contains(in.peer); };
  const bool hopeless = std::none_of(view_->check_ins.begin(), view_->check_ins.end(), alive);
  enter(fmt::format("came late for round {}, contributes to the next one; waiting for {} to merge{}",
                    head.round_num, name_of(head.leader),
                    hopeless ? ", but none of that round's peers gives a sign of life: start one of them "
                               "again, or reset the training contract"
                             : ""),
        now);
}

void peer_machine::check_in(time_point now) {
  const auto& head = view_->head;
  const bool finished = request_ == request::close;
  auto model = model_;
  if (finished && session_->on_train_end == contracts::on_train_end::active && head.merged_round > 0) {
    // It passes on what it got: the last merge, which must be here for the leader to fetch.
    const bool lost = head.merged_digest == given_up_;
    if (!lost && !get_merged(now)) return;
    if (!lost) model = {head.merged_digest, head.merged_size, head.layout_digest};
  }
  // Its own as well: after a reset, or without the merge, that is what it brings.
  const std::set<hash32> keep{model.digest, model_.digest, base_digest_, head.merged_digest};
  act(action::keep_models{keep});
  std::erase_if(local_, [&](const hash32& digest) { return !keep.contains(digest); });
  const bool counts = weightage_ > 0;
  if (counts && !head.layout_digest.is_zero() && head.layout_digest != model.layout) return refuse_layout();
  send(call_kind::check_in,
       contracts::encode_check_in({generation_, head.round_num, counts ? model.digest : hash32{},
                                   counts ? model.size : 0, counts ? model.layout : hash32{}, weightage_,
                                   base_round_, finished}),
       fmt::format("check in for round {}", head.round_num));
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
  const bool voted = voted_ == std::pair{head.round_num, static_cast<std::int64_t>(head.term)};
  if (voted || missing.empty() || now - grace_since_ < options_.grace) return;
  // A peer that still trains is not cut off by one that has finished, unless its node is dead.
  const bool all_silent = std::all_of(missing.begin(), missing.end(), [this](const auto* peer) {
    return view_->silent.contains(peer->account);
  });
  if (request_ == request::close && !all_silent) return;
  send(call_kind::vote_close, contracts::encode_vote_close({generation_, head.round_num}),
       fmt::format("vote to close round {} without {}", head.round_num, names_of(missing)));
}

void peer_machine::lead(time_point now) {
  const auto& head = view_->head;
  const std::pair key{head.round_num, head.term};
  if (merging_ == key) {
    if (!merged_) return;
    std::vector<std::string> reasons;
    for (const auto& reason : merged_->reasons)
      reasons.push_back(reason_text(reason));
    send(call_kind::commit,
         contracts::encode_commit_merge({generation_, head.round_num, head.term, merged_->digest,
                                         merged_->size, merged_->contributors, merged_->excluded, reasons}),
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
    // The weights of a finished peer are meant to stay as they are; others' lose value while the
    // swarm moves on.
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
  enter(fmt::format("round {}: waiting for {} to merge (term {})", head.round_num, name_of(head.leader),
                    head.term),
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
}

/// The merge under way is of no use once this node does not lead that term any more.
void peer_machine::drop_stale_merge() {
  const auto& head = view_->head;
  const bool leads = head.phase == round_phase::merging && head.leader == options_.self;
  if (!merging_ || (leads && *merging_ == std::pair{head.round_num, head.term})) return;
  drop_merge();
}

void peer_machine::drop_merge() {
  if (merging_ && !merged_) act(action::cancel_merge{});
  merging_.reset();
  merged_.reset();
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
  asked_generation_ = generation_;
  asked_round_ = head.merged_round;
  asked_digest_ = head.merged_digest;
  act(action::ask_loss{head.merged_digest, generation_, head.merged_round});
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

void peer_machine::refuse_program(const std::string& text) {
  act(action::refuse{text});
  end_session(false, text);
}

void peer_machine::drop_session() {
  session_.reset();
  resumed_.reset();
  request_ = request::none;
  open_answered_ = lingering_ = asking_loss_ = false;
  fetching_.reset();
  registration_refused_.reset();
  call_.reset();
  call_again_ = {};
  failed_calls_ = 0;
  refresh_at_ = look_at_ = {};
  if (report_) sure_calls_.erase(*report_);
  report_.reset();
  forget_generation();
}

void peer_machine::end_session(bool node_ends, std::string text) {
  drop_session();
  act(action::session_ended{node_ends, std::move(text)});
}

void peer_machine::forget_generation() {
  drop_merge();
  registered_ = caught_up_ = in_round_ = last_try_ = false;
  stay_out_of_ = 0;
  merge_again_ = {};
  merge_pause_ = merge_pause_first;
  failing_ = {};
  generation_ = checked_in_round_ = base_round_ = grace_round_ = 0;
  base_digest_ = given_up_ = {};
  suspected_ = voted_ = {0, -1};
  watched_ = {};
  mean_loss_.reset();
}

void peer_machine::send(call_kind kind, bytes input, std::string what) {
  SWARM_ASSERT(!call_);
  call_ = pending_call{next_call_id_, kind, generation_, view_->head.round_num, view_->head.term};
  act(action::call{next_call_id_++, std::move(input), std::move(what)});
}

std::uint64_t peer_machine::send_surely(bytes input, std::string what) {
  const auto id = next_call_id_++;
  action::call call{id, std::move(input), std::move(what)};
  sure_calls_[id] = {call, std::nullopt};
  act(std::move(call));
  return id;
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

/// In the current round, by what the contract says.
bool peer_machine::is_listed() const {
  return std::any_of(view_->check_ins.begin(), view_->check_ins.end(),
                     [this](const auto& in) { return in.peer == options_.self; });
}

std::string peer_machine::name_of(const address& who) const {
  const auto* peer = find_peer(who);
  if (peer == nullptr) return to_hex(who.view());
  return view_->silent.contains(who) ? peer->name + " (no sign of life)" : peer->name;
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

std::string reason_text(std::string_view text) {
  std::string out(text.substr(0, contracts::reason_bytes_max));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return out;
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
