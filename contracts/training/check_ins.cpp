#include "contracts/training/training_call.hpp"

// Peers bring their models and agree to wait no longer.
namespace swarm::contracts {

result<> training_call::check_model(const check_in_args& args) const {
  const auto merged = state_.round.round_num - 1;
  if (args.weightage > weightage_max)
    return refuse("weightage is {}, expected 0 to {}", args.weightage, weightage_max);
  if (args.base_round > merged)
    return refuse("baseRound {} is not merged yet, the last merge is of round {}", args.base_round, merged);
  if (args.weightage == 0) {
    if (args.digest.is_zero() && args.layout_digest.is_zero() && args.size == 0) return {};
    return refuse("weightage 0 brings no model: digest, size and layoutDigest have to be zero");
  }
  if (args.digest.is_zero()) return refuse("digest is zero with weightage {}", args.weightage);
  if (args.layout_digest.is_zero()) return refuse("layoutDigest is zero with weightage {}", args.weightage);
  if (args.size == 0) return refuse("size is 0 with weightage {}", args.weightage);
  return {};
}

result<> training_call::agree_on_layout(const check_in_args& args) {
  if (args.weightage == 0) return {};
  const auto in_force = state_.layout_digest();
  if (in_force == args.layout_digest) return {};
  if (in_force.is_zero()) {
    state_.set_layout_digest(args.layout_digest);
    return {};
  }
  return refuse(
      "layoutDigest {} is in force, peer has {}: its parameters have other names, shapes or types than its "
      "peers'",
      to_hex(in_force.view()), to_hex(args.layout_digest.view()));
}

void training_call::enter_round(found_peer& caller, const check_in_args& args) {
  auto& peer = caller.slot;
  auto& counts = state_.counts;
  if (!state_.is_in(peer)) {
    ++counts.checked_in;
    peer.last_round = state_.round.round_num;
    for (auto flag : {peer_slot::voted, peer_slot::newly_finished})
      peer.set(flag, false);
    peer.set(peer_slot::checked_in, true);
  }
  if (args.weightage > 0) ++counts.contributors;
  peer.in_weightage = static_cast<std::uint8_t>(args.weightage);
  peer.set(peer_slot::leads, peer.has(peer_slot::can_lead));
  if (args.finished) peer.set(peer_slot::finished, true);
  const auto next = peer.has(peer_slot::finished) ? peer_state::finished : peer_state::active;
  if (next == peer_state::finished && peer.state != next) {
    ++counts.newly_finished;
    peer.set(peer_slot::newly_finished, true);
  }
  rounds_.change_state(peer, next);
}

result<> training_call::on(const check_in_args& args) {
  SWARM_CHECK(check_round(args.generation, args.round_num, round_phase::collecting));
  SWARM_TRY(auto caller, calling_peer());
  SWARM_CHECK(check_model(args));
  const bool brings_model_later = caller.slot.in_weightage == 0 && args.weightage > 0;
  if (state_.is_in(caller.slot) && !brings_model_later)
    return refuse("{} has already checked in for round {}", to_hex(caller.slot.account.view()),
                  args.round_num);
  SWARM_CHECK(agree_on_layout(args));

  enter_round(caller, args);
  state_.set_peer(caller.index, caller.slot);
  state_.set_model_digest(caller.index, args.digest);
  state_.set_check_in(caller.index, {args.size, args.base_round, 0, {}});
  rounds_.emit(checked_in{caller.slot.account, args.round_num, args.generation, args.digest, args.size,
                          args.weightage, args.base_round, caller.slot.has(peer_slot::finished)});
  rounds_.settle();
  return done();
}

result<> training_call::on(const vote_close_args& args) {
  SWARM_CHECK(check_round(args.generation, args.round_num, round_phase::collecting));
  SWARM_TRY(auto caller, calling_participant());
  if (caller.slot.has(peer_slot::voted))
    return refuse("{} has already voted to close round {}", to_hex(caller.slot.account.view()),
                  args.round_num);
  caller.slot.set(peer_slot::voted, true);
  ++state_.counts.close_votes;
  state_.set_peer(caller.index, caller.slot);
  rounds_.settle();
  return done();
}

} // namespace swarm::contracts
