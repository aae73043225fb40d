#include "contracts/testing/naive_training.hpp"

#include "base/hash.hpp"
#include "contracts/training/dealing.hpp"

#include <algorithm>

namespace swarm::contracts {

naive_training::member* naive_training::find(const address& account) {
  for (auto& peer : members_)
    if (peer.view.account == account) return &peer;
  return nullptr;
}

std::size_t naive_training::count(peer_state state) const {
  return static_cast<std::size_t>(std::count_if(
      members_.begin(), members_.end(), [state](const auto& peer) { return peer.view.state == state; }));
}

std::vector<const naive_training::member*> naive_training::in_round() const {
  std::vector<const member*> out;
  for (const auto& peer : members_)
    if (peer.in) out.push_back(&peer);
  return out;
}

std::size_t naive_training::contributors() const {
  const auto in = in_round();
  return static_cast<std::size_t>(
      std::count_if(in.begin(), in.end(), [](const auto* peer) { return peer->in->model.weightage > 0; }));
}

std::size_t naive_training::place_of(const address& account) const {
  const auto found = std::find_if(members_.begin(), members_.end(),
                                  [&](const member& peer) { return peer.view.account == account; });
  return static_cast<std::size_t>(found - members_.begin());
}

bool naive_training::call(const address& caller, const register_peer_args& args) {
  if (phase_ == round_phase::complete) return false;
  const std::set<std::string> methods{"mean", "coordmedian", "geomedian", "trimmedmean:0.25"};
  if (args.weightage < 1 || args.weightage > 100 || args.min_peers < 1 || args.min_peers > 1024
      || !methods.contains(args.merge_method))
    return false;
  caller_ = caller;
  auto* peer = find(caller);
  const auto home = homes.contains(caller) ? homes.at(caller) : organisation_id{0};
  if (peer == nullptr) {
    peer = &members_.emplace_back();
    peer->view.account = caller;
    peer->first_organisation = home;
  }
  const auto before = *this;
  if (peer->in && !is_closed(phase_)) withdraw(*peer);
  peer->pending.reset();
  if (peer->in) peer->in->made_it_finished = false;
  const auto last_round = peer->view.last_round;
  const auto took = peer->view.took;
  if (is_odd(*peer, about::layout)) peer->brought_model = false; // what waited outside is forgotten
  peer->view = {};
  peer->view.account = caller;
  peer->view.organisation = home;
  peer->asks.clear();
  peer->outside.reset();
  const auto asks = fmt::format("{} {}", args.min_peers, args.merge_method);
  const bool nobody =
      count(peer_state::active) + count(peer_state::absent) + count(peer_state::finished) == 0;
  if (min_peers_ == 0 || (nobody && round_ == 1 && backing_ == 0)) put_in_force(about::parameters, asks);
  const bool agrees = asks == in_force(about::parameters);
  if (!agrees && !may_ask(*peer, about::parameters, asks)) {
    *this = before;
    if (find(caller)->view.state == peer_state::none) members_.pop_back();
    return false;
  }
  peer->view.state = agrees ? peer_state::active : peer_state::none;
  peer->view.train_end = args.train_end;
  peer->view.can_lead = args.can_lead;
  peer->view.weightage = args.weightage;
  peer->view.last_round = last_round;
  peer->view.took = took;
  peer->view.epochs_total = args.epochs_total;
  peer->over = false;
  events.emplace_back(
      peer_registered{caller, generation_, args.min_peers, args.merge_method, args.weightage});
  if (!agrees) {
    make_odd(*peer,
             args.min_peers != min_peers_ ? leave_reason::other_min_peers : leave_reason::other_merge_method,
             asks);
    if (peer->in) lose(caller);
  }
  weigh();
  settle();
  return true;
}

void naive_training::take_leave(member& peer, leave_reason why) {
  const auto account = peer.view.account;
  if (!is_closed(phase_) && peer.in) withdraw(peer);
  peer.pending.reset();
  suspects_.erase(account);
  if (is_odd(peer, about::layout)) peer.brought_model = false;
  peer.asks.clear();
  peer.view.state = peer_state::left;
  peer.view.reason = why;
  events.emplace_back(peer_left{account, generation_, why});
  if (account != leader_)
    lose(account);
  else if (phase_ != round_phase::stopped)
    succeed();
  if (phase_ == round_phase::revealing) settle();
}

bool naive_training::call(const address& caller, const leave_peer_args& args) {
  auto* peer = find(caller);
  if (peer == nullptr || peer->view.state == peer_state::left) return false;
  caller_ = caller;
  take_leave(*peer, args.reason);
  weigh();
  settle();
  return true;
}

bool naive_training::call(const address& caller, const check_in_args& args) {
  caller_ = caller;
  auto* peer = find(caller);
  if (peer == nullptr || peer->view.state == peer_state::left) return false;
  if (args.generation != generation_ || args.round_num != round_ || phase_ != round_phase::collecting)
    return false;
  if (args.weightage > 100 || args.base_round >= round_) return false;
  const bool has_model = args.weightage > 0;
  if (args.commitment.is_zero() == has_model || args.layout_digest.is_zero() == has_model
      || (args.size > 0) != has_model)
    return false;
  if (peer->in && !(has_model && peer->in->model.weightage == 0)) return false;
  if (is_odd(*peer, about::parameters)) return false;
  const auto asks = to_hex(args.layout_digest.view());
  const bool fits = !has_model || layout_.is_zero() || layout_ == args.layout_digest;
  if (!fits && !may_ask(*peer, about::layout, asks)) return false;
  if (peer->view.state == peer_state::odd) {
    peer->view.state = peer_state::none;
    peer->view.reason = {};
  }
  peer->asks.clear();
  peer->outside.reset();
  peer->pending.reset();
  peer->in_organisation = peer->view.organisation;
  const auto since_merge = args.base_round > 0 ? block_time - accepted_at_.at(args.base_round) : 0;
  peer->view.took = static_cast<std::uint32_t>(std::min<std::uint64_t>(since_merge, 65535));
  if (fits) {
    if (has_model) layout_ = args.layout_digest;
    if (has_model && is_doubted(*peer)) {
      pend(*peer, args);
    } else {
      enter(*peer, args);
      tell_check_in(*peer, args);
    }
  } else {
    if (peer->in) withdraw(*peer);
    peer->view.last_round = round_;
    peer->outside = args;
    peer->outside_of = round_;
    make_odd(*peer, leave_reason::other_parameters, asks);
  }
  weigh();
  settle();
  return true;
}

void naive_training::enter(member& entering, const check_in_args& args) {
  auto* peer = &entering;
  peer->brought_model = args.weightage > 0;
  const bool earlier_news = peer->in && peer->in->made_it_finished;
  peer->over = peer->over || args.finished;
  const auto state = peer->over ? peer_state::finished : peer_state::active;
  const bool news =
      earlier_news || (state == peer_state::finished && peer->view.state != peer_state::finished);
  peer->pending.reset();
  peer->in = entry{args, peer->view.can_lead, news, false, {}, {}, false};
  peer->in->model.finished = peer->over;
  peer->view.state = state;
  peer->view.last_round = round_;
}

bool naive_training::call(const address& caller, const vote_close_args& args) {
  auto* peer = find(caller);
  if (peer == nullptr || !peer->in || args.generation != generation_ || args.round_num != round_
      || phase_ != round_phase::collecting)
    return false;
  if (!votes_.insert(caller).second) return false;
  settle();
  return true;
}

bool naive_training::call(const address& caller, const suspect_leader_args& args) {
  auto* peer = find(caller);
  if (peer == nullptr || !peer->in || peer->view.state == peer_state::left) return false;
  if (args.generation != generation_ || args.round_num != round_ || args.term != term_
      || phase_ != round_phase::merging)
    return false;
  if (!suspects_.insert(caller).second) return false;
  events.emplace_back(leader_suspected{round_, generation_, term_, caller, leader_});
  if (caller == leader_)
    succeed(); // it says so itself
  else
    settle();
  return true;
}

bool naive_training::call(const address& caller, const commit_merge_args& args) {
  if (phase_ != round_phase::merging || caller != leader_ || args.generation != generation_
      || args.round_num != round_ || args.term != term_ || args.digest.is_zero() || args.size == 0
      || args.contributors.empty() || args.reasons.size() != args.excluded.size())
    return false;
  std::multiset<address> named(args.contributors.begin(), args.contributors.end());
  named.insert(args.excluded.begin(), args.excluded.end());
  std::multiset<address> expected;
  merge_view merge{round_,    block_num, term_,         caller,       args.digest,
                   args.size, {},        args.excluded, args.reasons, {}};
  for (const auto* peer : in_round()) {
    if (peer->in->model.weightage == 0) continue;
    expected.insert(peer->view.account);
    if (std::count(args.contributors.begin(), args.contributors.end(), peer->view.account) > 0)
      merge.contributors.push_back(peer->view.account);
  }
  if (named != expected) return false;
  if (args.size > model_bytes_max) return false;
  bar_silent_makers();
  proposal_ = merge;
  events.emplace_back(merge_committed{round_, generation_, term_, caller, args.digest, args.size,
                                      args.contributors, args.excluded, args.reasons});
  open_checks();
  return true;
}

bool naive_training::call(const address& caller, const report_loss_args& args) {
  auto* peer = find(caller);
  if (peer == nullptr || peer->view.state == peer_state::left || args.generation != generation_
      || !merges_.contains(args.round_num) || args.round_num < peer->view.loss_round)
    return false;
  peer->view.loss_round = args.round_num;
  peer->view.loss_micro = args.loss_micro;
  peer->view.metric_micro = args.metric_micro;
  peer->view.epochs_done = args.epochs_done;
  peer->view.epochs_total = args.epochs_total;
  events.emplace_back(loss_reported{caller, args.round_num, generation_, args.loss_micro, args.metric_micro,
                                    args.epochs_done, args.epochs_total});
  return true;
}

bool naive_training::hear(const address& caller) {
  auto* peer = find(caller);
  if (peer == nullptr || peer->view.accused_since == 0) return false;
  peer->view.accused_since = 0;
  may_accuse_at_[accused_by_[caller]] = block_time + no_accusing_seconds;
  if (const auto own = find(accused_by_[caller])->view.organisation; has_others_than(own))
    organisation_may_accuse_at_[own] = block_time + no_accusing_seconds;
  events.emplace_back(peer_answered{caller, generation_, accused_by_[caller]});
  return true;
}

bool naive_training::has_others_than(organisation_id organisation) const {
  return organisation != 0 && std::any_of(members_.begin(), members_.end(), [&](const member& peer) {
           return peer.first_organisation != organisation;
         });
}

bool naive_training::call(const address& caller, const accuse_peer_args& args) {
  auto* peer = find(caller);
  auto* other = find(args.peer);
  if (peer == nullptr || peer->view.state == peer_state::left) return false;
  if (other == nullptr || other == peer || args.generation != generation_) return false;
  auto& view = other->view;
  const bool is_waited_for = view.state == peer_state::active || view.state == peer_state::finished;
  if (!is_waited_for && (!other->in || view.state == peer_state::left)) return false;
  if (view.accused_since == 0) {
    if (may_accuse_at_[caller] > block_time) return false;
    const auto own = peer->view.organisation;
    if (has_others_than(own) && organisation_may_accuse_at_[own] > block_time) return false;
    view.accused_since = block_time;
    accused_by_[args.peer] = caller;
    events.emplace_back(peer_accused{args.peer, generation_, caller});
    return true;
  }
  if (block_time - view.accused_since < peer_answer_seconds) return false;
  caller_ = caller;
  view.accused_since = 0;
  take_leave(*other, leave_reason::not_heard);
  weigh();
  settle();
  return true;
}

bool naive_training::call(const address& caller, const answer_accusation_args& args) {
  auto* peer = find(caller);
  return was_accused_ && args.generation == generation_ && peer->view.state != peer_state::left;
}

bool naive_training::call(const address& caller, const report_refusal_args& args) {
  auto* peer = find(caller);
  const bool is_new = peer == nullptr;
  if (args.generation != generation_ || phase_ == round_phase::complete) return false;
  if (!is_new && (peer->view.state != peer_state::left || peer->view.reason == args.reason)) return false;
  const auto home = homes.contains(caller) ? homes.at(caller) : organisation_id{0};
  if (is_new) {
    peer = &members_.emplace_back();
    peer->first_organisation = home;
  }
  peer->view.organisation = home;
  peer->view.account = caller;
  peer->view.state = peer_state::left;
  peer->view.reason = args.reason;
  events.emplace_back(peer_left{caller, generation_, args.reason});
  return true;
}

bool naive_training::reset(const address& caller) {
  clear();
  events.clear();
  events.emplace_back(training_reset{generation_, caller});
  return true;
}

void naive_training::clear() {
  naive_training fresh;
  fresh.generation_ = generation_ + 1;
  fresh.block_num = block_num;
  fresh.block_time = block_time;
  fresh.homes = homes;
  fresh.events = events;
  fresh.caller_ = caller_;
  *this = fresh;
}

head_view naive_training::head() const {
  head_view out;
  out.generation = generation_;
  out.round_num = round_;
  out.phase = phase_;
  out.term = term_;
  out.leader = leader_;
  out.min_peers = min_peers_;
  out.merge_method = method_;
  out.layout_digest = layout_;
  out.waited_for = static_cast<std::uint32_t>(count(peer_state::active) + count(peer_state::finished));
  out.checked_in = static_cast<std::uint32_t>(in_round().size());
  out.close_votes = static_cast<std::uint32_t>(votes_.size());
  out.hidden = static_cast<std::uint32_t>(hidden());
  if (phase_ == round_phase::revealing) out.reveals_end = reveals_end_;
  if (merges_.empty()) return out;
  const auto& last = merges_.rbegin()->second;
  out.merged_round = last.round_num;
  out.merged_digest = last.digest;
  out.merged_size = last.size;
  out.merged_by = last.leader;
  return out;
}

std::vector<peer_view> naive_training::peers() const {
  std::vector<peer_view> out;
  for (const auto& peer : members_) {
    out.push_back(peer.view);
    if (is_doubted(peer)) out.back().trusted_from = peer.trusted_from;
    if (is_barred(peer)) out.back().barred_until = peer.barred_until;
  }
  return out;
}

std::vector<check_in_view> naive_training::check_ins() const {
  std::vector<check_in_view> out;
  for (const auto* peer : in_round()) {
    const auto& model = peer->in->model;
    const bool has_model = model.weightage > 0;
    const bool is_open = has_model && peer->in->revealed;
    out.push_back({peer->view.account,
                   is_open ? peer->in->digest : hash32{},
                   model.size,
                   model.weightage,
                   model.base_round,
                   model.finished,
                   {},
                   has_model ? model.commitment : hash32{},
                   is_open ? peer->in->seed_hash : hash32{}});
  }
  if (!is_closed(phase_)) return out;
  const auto line = order();
  const auto rank = [&line](const check_in_view& one) {
    return std::find(line.begin(), line.end(), one.peer);
  };
  std::stable_sort(out.begin(), out.end(),
                   [&rank](const check_in_view& a, const check_in_view& b) { return rank(a) < rank(b); });
  return out;
}

} // namespace swarm::contracts
