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
    if (args.commitment.is_zero() && args.layout_digest.is_zero() && args.size == 0) return {};
    return refuse("weightage 0 brings no model: commitment, size and layoutDigest have to be zero");
  }
  if (args.commitment.is_zero()) return refuse("commitment is zero with weightage {}", args.weightage);
  if (args.layout_digest.is_zero()) return refuse("layoutDigest is zero with weightage {}", args.weightage);
  if (args.size == 0) return refuse("size is 0 with weightage {}", args.weightage);
  return {};
}

result<bool> training_call::agree_on_layout(const found_peer& caller, const check_in_args& args) {
  if (args.weightage == 0) return true;
  const auto in_force = state_.layout_digest();
  if (in_force == args.layout_digest) return true;
  if (in_force.is_zero()) {
    state_.set_layout_digest(args.layout_digest);
    return true;
  }
  auto aside = caller.slot; // the caller does not outvote itself
  aside.in_weightage = 0;
  state_.set_peer(caller.index, aside);
  const auto organisation = state_.check_in(caller.index).organisation;
  if (agreement_.may_ask(question::layout, layout_text(args.layout_digest), organisation)) return false;
  return refuse(
      "layoutDigest {} is in force, peer has {}: its parameters have other names, shapes or types than its "
      "peers'",
      to_hex(in_force.view()), to_hex(args.layout_digest.view()));
}

/// It waits outside the round until most organisations bring models of its layout.
void training_call::wait_outside(found_peer& caller, const check_in_args& args) {
  auto& peer = caller.slot;
  if (state_.is_in(peer)) rounds_.withdraw(peer);
  peer.last_round = static_cast<std::uint32_t>(state_.round.round_num);
  peer.set(peer_slot::checked_in, false);
  peer.set(peer_slot::outside, false);
  peer.in_weightage = static_cast<std::uint8_t>(args.weightage);
  agreement_.make_odd(caller.index, peer, leave_reason::other_parameters, layout_text(args.layout_digest));
}

/// It has withheld a model before: this one counts once it has revealed it.
void training_call::wait_for_reveal(found_peer& caller, const check_in_args& args) {
  auto& peer = caller.slot;
  if (state_.is_in(peer)) rounds_.withdraw(peer);
  if (peer.state == peer_state::none) // it was odd
    rounds_.change_state(peer, peer.has(peer_slot::finished) ? peer_state::finished : peer_state::active);
  peer.last_round = static_cast<std::uint32_t>(state_.round.round_num);
  peer.set(peer_slot::checked_in, false);
  peer.set(peer_slot::outside, true);
  peer.in_weightage = static_cast<std::uint8_t>(args.weightage);
  state_.set_peer(caller.index, peer);
  tell_check_in(caller, args);
}

/// So others see who keeps step, however slowly. The acceptance of the last merge costs no load.
std::uint16_t training_call::seconds_since_merge_of(std::uint64_t base_round) const {
  const auto& round = state_.round;
  if (base_round == 0) return 0;
  const auto from = base_round + 1 == round.round_num ? round.opened : state_.accepted_at(base_round);
  const auto now = host_.block_time();
  return static_cast<std::uint16_t>(std::min<std::uint64_t>(now - std::min(from, now), took_max));
}

result<> training_call::on(const check_in_args& args) {
  SWARM_CHECK(check_round(args.generation, args.round_num, round_phase::collecting));
  SWARM_TRY(auto caller, calling_peer());
  SWARM_CHECK(check_model(args));
  const bool brings_model_later = caller.slot.in_weightage == 0 && args.weightage > 0;
  if (state_.is_in(caller.slot) && !brings_model_later)
    return refuse("{} has already checked in for round {}", to_hex(caller.slot.account.view()),
                  args.round_num);
  auto check_in = state_.check_in(caller.index);
  if (caller.slot.state == peer_state::odd) {
    if (check_in.left_because != leave_reason::other_parameters)
      return refuse(
          "{} asks for other parameters than those in force: it waits for what most organisations want",
          to_hex(caller.slot.account.view()));
    agreement_.end_odd(caller.index, caller.slot);
  }
  SWARM_TRY(const bool fits, agree_on_layout(caller, args));

  check_in = {args.size, args.base_round, 0, {}, check_in.organisation, args.finished, check_in.organisation};
  state_.set_check_in(caller.index, check_in);
  if (args.weightage > 0) state_.set_commitment(caller.index, args.commitment);
  caller.slot.took = seconds_since_merge_of(args.base_round);
  if (!fits) {
    wait_outside(caller, args);
  } else if (args.weightage > 0 && rounds_.is_doubted(caller.index, caller.slot)) {
    wait_for_reveal(caller, args);
  } else {
    rounds_.enter(caller.slot, static_cast<std::uint8_t>(args.weightage), args.finished);
    state_.set_peer(caller.index, caller.slot);
    tell_check_in(caller, args);
  }
  agreement_.weigh();
  rounds_.settle();
  return done();
}

void training_call::tell_check_in(const found_peer& caller, const check_in_args& args) const {
  rounds_.emit(checked_in{caller.slot.account, args.round_num, args.generation, args.commitment, args.size,
                          args.weightage, args.base_round,
                          args.finished || caller.slot.has(peer_slot::finished)});
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
