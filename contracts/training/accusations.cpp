#include "contracts/training/training_call.hpp"

// Who lives is decided here: who is said to give no sign of life gives one, by any call, or counts no more.
namespace swarm::contracts {

bool training_call::acquit(const found_peer& peer) {
  if (state_.counts.accused == 0) return false;
  auto standing = state_.standing(peer.index);
  if (standing.accused_since == 0) return false;
  standing.accused_since = 0;
  state_.set_standing(peer.index, standing);
  --state_.counts.accused;
  return true;
}

/// Whether peers of another organisation have ever registered.
bool training_call::has_others_than(organisation_id organisation) const {
  return organisation != 0 && state_.entries_of(organisation) < state_.counts.peers;
}

std::uint64_t training_call::may_accuse_at(std::uint16_t index) const {
  const auto own = state_.check_in(index).organisation;
  const auto alone = state_.standing(index).may_accuse_at;
  return has_others_than(own) ? std::max(alone, state_.may_accuse_at(own)) : alone;
}

void training_call::hear(const found_peer& caller) {
  if (state_.counts.accused == 0) return;
  const auto by = state_.standing(caller.index).accused_by;
  if (!acquit(caller)) return;
  auto accuser = state_.standing(by);
  accuser.may_accuse_at = host_.block_time() + no_accusing_seconds;
  state_.set_standing(by, accuser);
  if (const auto own = state_.check_in(by).organisation; has_others_than(own))
    state_.set_may_accuse_at(own, accuser.may_accuse_at);
  rounds_.emit(peer_answered{caller.slot.account, state_.round.generation, state_.peer(by).account});
}

result<> training_call::on(const accuse_peer_args& args) {
  SWARM_CHECK(check_generation(args.generation));
  SWARM_TRY(const auto caller, calling_peer());
  const auto index = state_.find(args.peer);
  if (!index || *index == caller.index)
    return refuse("{} is not another peer of this training", to_hex(args.peer.view()));
  found_peer accused{*index, state_.peer(*index)};
  const auto state = accused.slot.state;
  const bool counts = state == peer_state::active || state == peer_state::finished;
  if (!counts && !(state_.is_in(accused.slot) && state != peer_state::left))
    return refuse("nobody waits for {}", to_hex(args.peer.view()));
  const auto now = host_.block_time();
  auto standing = state_.standing(*index);
  if (standing.accused_since == 0) {
    if (const auto again_at = may_accuse_at(caller.index); now < again_at)
      return refuse(
          "{} or another peer of its organisation has said wrongly of a peer that it gives no sign of life, "
          "and may say so again in {} s",
          to_hex(caller.slot.account.view()), again_at - now);
    standing.accused_since = now;
    standing.accused_by = caller.index;
    state_.set_standing(*index, standing);
    ++state_.counts.accused;
    rounds_.emit(peer_accused{args.peer, args.generation, caller.slot.account});
    return done();
  }
  if (const auto until = standing.accused_since + peer_answer_seconds; now < until)
    return refuse("{} has {} s more to give a sign of life", to_hex(args.peer.view()), until - now);
  acquit(accused);
  take_leave(accused, leave_reason::not_heard);
  agreement_.weigh();
  rounds_.settle();
  return done();
}

/// The caller has given a sign of life by calling at all.
result<> training_call::on(const answer_accusation_args& args) {
  SWARM_CHECK(check_generation(args.generation));
  const auto accused = state_.counts.accused;
  SWARM_TRY(const auto caller, calling_peer());
  if (state_.counts.accused == accused)
    return refuse("nobody says that {} gives no sign of life", to_hex(caller.slot.account.view()));
  return done();
}

} // namespace swarm::contracts
