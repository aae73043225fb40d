#include "contracts/training/commitment.hpp"
#include "contracts/training/training_call.hpp"

// Peers reveal the models that they have committed to.
namespace swarm::contracts {

bool training_call::is_outside(const found_peer& caller) const {
  return caller.slot.has(peer_slot::outside) && caller.slot.last_round == state_.round.round_num;
}

/// The caller may reveal now, and this is what it has committed to.
result<> training_call::check_opening(const found_peer& caller, const reveal_args& args) const {
  const auto who = to_hex(caller.slot.account.view());
  const bool is_in = state_.is_in(caller.slot);
  const bool collects = state_.round.phase == round_phase::collecting;
  if (is_in && caller.slot.has(peer_slot::revealed))
    return refuse("{} has revealed its model for round {} already", who, args.round_num);
  if (!(is_in && caller.slot.hides()) && !is_outside(caller))
    return refuse("{} has no check-in with a model for round {} to reveal", who, args.round_num);
  if (is_in && collects)
    return refuse("round {} is collecting: models are revealed once it is closed", args.round_num);
  if (!is_in && !collects)
    return refuse("round {} is closed: {} has withheld a model, and had to reveal before the close",
                  args.round_num, who);
  const auto opened = commitment_of(caller.slot.account, args.generation, args.round_num,
                                    {args.digest, args.salt, args.seed_hash});
  if (args.digest.is_zero() || opened != state_.commitment(caller.index))
    return refuse("digest, salt and seedHash are not what {} has committed to for round {}", who,
                  args.round_num);
  return {};
}

/// Whether somebody who is in has revealed the same when the caller may still have been able to commit to it. The last
/// merge is everybody's.
bool training_call::is_copy(const found_peer& caller, const hash32& digest) {
  const auto& round = state_.round;
  const auto stage = round.phase == round_phase::revealing ? state_.reveals().stage : 0;
  const auto first = state_.first_reveal_of(digest);
  if (first.round_num == round.round_num && first.index != caller.index) {
    const auto owner = state_.peer(first.index);
    const bool brings_it = state_.is_in(owner) && owner.in_weightage > 0 && owner.has(peer_slot::revealed)
                           && state_.model_digest(first.index) == digest;
    const bool at_once = stage > 0 && first.stage == stage;
    const bool is_merge = round.round_num > 1 && state_.merge_digest(round.round_num - 1) == digest;
    if (brings_it) return !at_once && !is_merge;
  }
  state_.set_first_reveal_of(digest, {round.round_num, stage, caller.index});
  return false;
}

/// What the caller revealed in an earlier round needs no place any more.
void training_call::forget_last_reveal(const found_peer& caller) {
  const auto last = state_.model_digest(caller.index);
  if (last.is_zero()) return;
  const auto first = state_.first_reveal_of(last);
  if (first.index == caller.index && first.round_num != 0 && first.round_num < state_.round.round_num)
    state_.set_first_reveal_of(last, {});
}

result<> training_call::on(const reveal_args& args) {
  SWARM_CHECK(check_generation(args.generation));
  const auto phase = state_.round.phase;
  SWARM_CHECK(check_round(args.generation, args.round_num,
                          phase == round_phase::collecting ? phase : round_phase::revealing));
  SWARM_TRY(auto caller, calling_peer());
  SWARM_CHECK(check_opening(caller, args));
  forget_last_reveal(caller);
  const bool counts = !is_copy(caller, args.digest);
  auto& peer = caller.slot;
  if (!state_.is_in(peer)) rounds_.enter(peer, peer.in_weightage, state_.check_in(caller.index).finishes);
  rounds_.reveal(peer, counts);
  state_.set_peer(caller.index, peer);
  state_.set_model_digest(caller.index, args.digest);
  state_.set_seed_hash(caller.index, args.seed_hash);
  auto check_in = state_.check_in(caller.index);
  if (!counts) {
    check_in.size = 0;
    state_.set_check_in(caller.index, check_in);
  }
  rounds_.emit(revealed{peer.account, args.round_num, args.generation, args.digest, check_in.size,
                        peer.in_weightage, check_in.base_round, args.seed_hash});
  rounds_.settle();
  return done();
}

result<> training_call::on(const close_reveals_args& args) {
  SWARM_CHECK(check_round(args.generation, args.round_num, round_phase::revealing));
  SWARM_CHECK(calling_peer());
  const auto end = state_.reveals().end;
  if (const auto now = host_.block_time(); now < end)
    return refuse("the peers of round {} have {} s more to reveal their models", args.round_num, end - now);
  rounds_.end_reveals();
  return done();
}

} // namespace swarm::contracts
