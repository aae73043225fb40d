#include "base/merge_method.hpp"
#include "contracts/organisations/members.hpp"
#include "contracts/organisations/records.hpp"
#include "contracts/registry/node_records.hpp"
#include "contracts/registry/seat_limits.hpp"
#include "contracts/training/training_call.hpp"
#include "contracts/training_registry/owned.hpp"

// Peers come, report and go.
namespace swarm::contracts {

namespace {

/// The method is one that there is, in its one spelling, and rounds of `min_peers` are large enough for it.
result<> check_method(const register_peer_args& args) {
  const auto method = parse_merge_method(args.merge_method);
  if (!method) return refuse("{}", method.error().message);
  if (const auto spelt = text_of(*method); spelt != args.merge_method)
    return refuse("mergeMethod {} is spelt '{}'", in_quotes(args.merge_method), spelt);
  if (method->kind == merge_method::custom && !method->library)
    return refuse("mergeMethod '{}' lacks the digest of its library", args.merge_method);
  if (const auto fits = check_peers(*method, args.min_peers); !fits)
    return refuse("{}", fits.error().message);
  return {};
}

} // namespace

result<bool> training_call::agree_on_parameters(const found_peer& caller, const register_peer_args& args,
                                                organisation_id organisation) {
  auto& round = state_.round;
  const auto& counts = state_.counts;
  // Parameters nobody trains under, nor ever merged under, bind nobody.
  const bool deserted =
      counts.active + counts.absent + counts.finished == 0 && round.round_num == 1 && counts.backing == 0;
  if (round.min_peers == 0 || deserted) {
    round.min_peers = static_cast<std::uint16_t>(args.min_peers);
    state_.set_merge_method(args.merge_method);
    return true;
  }
  const auto method = state_.merge_method();
  if (args.min_peers == round.min_peers && args.merge_method == method) return true;
  state_.set_peer(caller.index, caller.slot); // the caller, which is in no state now, does not outvote itself
  const auto asks = parameters_text(args.min_peers, args.merge_method);
  if (agreement_.may_ask(question::parameters, asks, organisation)) return false;
  if (args.min_peers != round.min_peers)
    return refuse("minPeers {} is in force, peer asked for {}", round.min_peers, args.min_peers);
  return refuse("mergeMethod '{}' is in force, peer asked for '{}'", method, args.merge_method);
}

result<> training_call::check_room_of(organisation_id organisation) {
  if (organisation == 0) return {};
  const auto record = organisation_records(host_).of(organisation);
  const auto most = record.limits().peers_per_training;
  const auto entries = state_.entries_of(organisation);
  if (most > 0 && entries >= most)
    return refuse("the organisation '{}' has {} peers in this training, the most that it may have",
                  record.name(), entries);
  state_.set_entries_of(organisation, entries + 1);
  return {};
}

/// Of the trainings of its organisation so many may be under way at once. That is asked of the first peer of a generation, or
/// of whoever comes when all have gone before the first merge: what has begun goes on, and peers come back to it.
result<> training_call::check_place() const {
  const auto owner = state_.owner();
  const bool has_begun = state_.counts.active + state_.counts.absent + state_.counts.finished > 0
                         || state_.counts.odd > 0 || state_.round.round_num > 1;
  if (!context_.has_rules(3) || owner == 0 || has_begun) return {};
  const auto limit = seat_records(host_).of(owner, seat_kind::training);
  if (limit.most() == 0) return {};
  const auto under_way = trainings_under_way(host_, owner);
  if (under_way < limit.most()) return {};
  return refuse("the organisation '{}' has {} trainings under way: {}; or one of them ends, or is reset",
                owner_of(host_, owner).name, under_way, who_limits(limit));
}

result<training_call::found_peer> training_call::find_or_add(const address& account,
                                                             organisation_id organisation) {
  if (const auto known = state_.find(account)) return found_peer{*known, state_.peer(*known)};
  auto& counts = state_.counts;
  if (counts.peers >= peers_max) return refuse("the training is full: it has {} peers", counts.peers);
  SWARM_CHECK(check_room_of(organisation));
  found_peer out{counts.peers++, {}};
  out.slot.account = account;
  state_.set_index(account, out.index);
  return out;
}

/// Before a peer registers anew, or for the first time.
void training_call::leave_round(found_peer& caller) {
  auto& peer = caller.slot;
  auto& counts = state_.counts;
  if (state_.is_in(peer)) {
    if (!is_closed(state_.round.phase)) {
      rounds_.withdraw(peer);
    } else {
      if (peer.state == peer_state::left) --counts.left_in;
      if (peer.has(peer_slot::newly_finished)) --counts.newly_finished;
      peer.set(peer_slot::newly_finished, false);
    }
  }
  peer.set(peer_slot::outside, false);
  if (peer.state == peer_state::odd) {
    agreement_.end_odd(caller.index, peer);
  } else {
    rounds_.change_state(peer, peer_state::none);
  }
}

result<> training_call::on(const register_peer_args& args) {
  const auto& account = context_.caller;
  SWARM_CHECK(require_active_node(host_, account, {node_type::sl}));
  if (state_.round.phase == round_phase::complete)
    return refuse("the training is complete, round {} was its last: reset it to train again",
                  state_.round.round_num - 1);
  if (args.weightage == 0 || args.weightage > weightage_max)
    return refuse("weightage is {}, expected 1 to {}", args.weightage, weightage_max);
  if (args.min_peers == 0 || args.min_peers > peers_max)
    return refuse("minPeers is {}, expected 1 to {}", args.min_peers, peers_max);
  SWARM_CHECK(check_method(args));

  const auto organisation = organisation_members(host_).organisation_of(account);
  SWARM_CHECK(check_invited(organisation));
  SWARM_CHECK(check_place());
  SWARM_TRY(auto caller, find_or_add(account, organisation));
  hear(caller);
  leave_round(caller);
  SWARM_TRY(const bool agrees, agree_on_parameters(caller, args, organisation));
  auto& peer = caller.slot;
  rounds_.change_state(peer, agrees ? peer_state::active : peer_state::none);
  peer.weightage = static_cast<std::uint8_t>(args.weightage);
  peer.set(peer_slot::can_lead, args.can_lead);
  peer.set(peer_slot::finished, false);
  peer.set_train_end(args.train_end);
  state_.set_peer(caller.index, peer);
  note_organisation(caller.index, organisation);
  progress_slot progress;
  progress.epochs_total = args.epochs_total;
  state_.set_progress(caller.index, progress);
  rounds_.emit(
      peer_registered{account, state_.round.generation, args.min_peers, args.merge_method, args.weightage});
  if (!agrees) {
    agreement_.make_odd(caller.index, peer,
                        args.min_peers != state_.round.min_peers ? leave_reason::other_min_peers
                                                                 : leave_reason::other_merge_method,
                        parameters_text(args.min_peers, args.merge_method));
    if (state_.is_in(peer)) verification_.lose(caller.index);
  }
  agreement_.weigh();
  rounds_.settle();
  return done();
}

void training_call::note_organisation(std::uint16_t index, organisation_id organisation) {
  auto check_in = state_.check_in(index);
  if (check_in.organisation == organisation) return;
  check_in.organisation = organisation;
  state_.set_check_in(index, check_in);
}

void training_call::leave_closed_round(std::uint16_t index) {
  if (index != state_.counts.leader) return verification_.lose(index);
  if (state_.round.phase != round_phase::stopped) rounds_.advance_leader();
}

void training_call::take_leave(found_peer& who, leave_reason why) {
  auto& peer = who.slot;
  auto& counts = state_.counts;
  const bool in_closed_round = is_closed(state_.round.phase) && state_.is_in(peer);
  auto check_in = state_.check_in(who.index);
  if (in_closed_round) {
    ++counts.left_in;
    if (check_in.suspected_term == state_.round.term + std::uint64_t{1}) {
      --counts.suspects;
      check_in.suspected_term = 0;
    }
  } else if (state_.is_in(peer)) {
    rounds_.withdraw(peer);
  }
  peer.set(peer_slot::outside, false);
  if (peer.state == peer_state::odd) agreement_.end_odd(who.index, peer);
  rounds_.change_state(peer, peer_state::left);
  state_.set_peer(who.index, peer);
  check_in.left_because = why;
  state_.set_check_in(who.index, check_in);
  rounds_.emit(peer_left{peer.account, state_.round.generation, why});
  if (in_closed_round) leave_closed_round(who.index);
  if (state_.round.phase == round_phase::revealing) rounds_.settle(); // it may have been the last to reveal
}

result<> training_call::on(const leave_peer_args& args) {
  SWARM_TRY(auto caller, calling_peer());
  take_leave(caller, args.reason);
  agreement_.weigh();
  rounds_.settle();
  return done();
}

result<> training_call::on(const report_loss_args& args) {
  SWARM_CHECK(check_generation(args.generation));
  SWARM_TRY(const auto caller, calling_peer());
  if (args.round_num == 0 || args.round_num >= state_.round.round_num)
    return refuse("round {} has no merge, the last merge is of round {}", args.round_num,
                  state_.round.round_num - 1);
  auto progress = state_.progress(caller.index);
  if (args.round_num < progress.loss_round)
    return refuse("a loss of round {} is reported already, the call is for round {}", progress.loss_round,
                  args.round_num);
  progress.loss_round = args.round_num;
  progress.loss_micro = args.loss_micro;
  progress.metric_micro = args.metric_micro;
  progress.epochs_done = args.epochs_done;
  progress.epochs_total = args.epochs_total;
  state_.set_progress(caller.index, progress);
  rounds_.emit(loss_reported{caller.slot.account, args.round_num, args.generation, args.loss_micro,
                             args.metric_micro, args.epochs_done, args.epochs_total});
  return done();
}

/// No round notices: who was no peer is still none that anybody waits for.
result<> training_call::on(const report_refusal_args& args) {
  const auto& account = context_.caller;
  SWARM_CHECK(require_active_node(host_, account, {node_type::sl}));
  SWARM_CHECK(check_generation(args.generation));
  if (state_.round.phase == round_phase::complete)
    return refuse("the training is complete, round {} was its last", state_.round.round_num - 1);
  const auto organisation = organisation_members(host_).organisation_of(account);
  SWARM_CHECK(check_invited(organisation));
  SWARM_TRY(auto caller, find_or_add(account, organisation));
  auto& peer = caller.slot;
  if (peer.state != peer_state::none && peer.state != peer_state::left)
    return refuse("{} is a peer: call leavePeer", to_hex(account.view()));
  auto check_in = state_.check_in(caller.index);
  if (peer.state == peer_state::left && check_in.left_because == args.reason)
    return refuse("{} has left for this reason already", to_hex(account.view()));
  rounds_.change_state(peer, peer_state::left);
  state_.set_peer(caller.index, peer);
  check_in.left_because = args.reason;
  check_in.organisation = organisation;
  state_.set_check_in(caller.index, check_in);
  rounds_.emit(peer_left{account, args.generation, args.reason});
  return done();
}

} // namespace swarm::contracts
