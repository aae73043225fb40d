#include "base/hash.hpp"
#include "contracts/training/training_call.hpp"

#include <algorithm>

// Calls on a proposal: seeds, attestations, challenges, and what others say of these.
namespace swarm::contracts {

result<> training_call::check_attempt(std::uint32_t attempt) {
  const auto now = state_.checking().attempt;
  if (attempt == now) return {};
  return refuse("attempt {} of term {} is in force, the call is for attempt {}", now, state_.round.term,
                attempt);
}

/// The caller, whose `what` is missing.
result<training_call::found_peer> training_call::awaited_caller(std::string_view what) {
  SWARM_TRY(auto caller, calling_participant());
  if (!state_.has(peer_sets::awaited, caller.index))
    return refuse("no {} of {} is awaited", what, to_hex(caller.slot.account.view()));
  return caller;
}

result<> training_call::on(const reveal_seed_args& args) {
  SWARM_CHECK(check_round(args.generation, args.round_num, round_phase::verifying));
  SWARM_CHECK(check_term(args.term));
  SWARM_CHECK(check_attempt(0));
  SWARM_TRY(const auto caller, awaited_caller("seed"));
  if (keccak256(args.seed.view()) != state_.seed_hash(caller.index))
    return refuse("the seed is not the next one of the chain that {} has committed to",
                  to_hex(caller.slot.account.view()));
  rounds_.emit(seed_revealed{caller.slot.account, args.round_num, args.generation, args.term, args.seed});
  verification_.take_seed(caller.index, caller.slot.account, args.seed);
  return done();
}

result<> training_call::on(const attest_args& args) {
  SWARM_CHECK(check_round(args.generation, args.round_num, round_phase::verifying));
  SWARM_CHECK(check_term(args.term));
  SWARM_CHECK(check_attempt(args.attempt));
  if (args.attempt == 0) return refuse("the proposal is not dealt out yet, its seeds are being revealed");
  SWARM_TRY(const auto caller, awaited_caller("attestation"));
  rounds_.emit(attested{caller.slot.account, args.round_num, args.generation, args.term, args.attempt});
  verification_.take_attestation(caller.index);
  return done();
}

/// Each organisation says once of a proposal that it is not served, and once that somebody who was left out is available, so
/// that many keys cannot do so one after the other; and it says nothing any more in this round when one of its peers was
/// barred, as long as there is another one that is not the author's. Where there is one organisation, this goes for each peer.
result<> training_call::check_challenger(const found_peer& caller, const challenge_args& args) {
  const auto who = to_hex(caller.slot.account.view());
  const auto in = rounds_.participants();
  const auto own = verification_.organisation_of(caller.index);
  const bool has_others = std::any_of(in.begin(), in.end(), [&](const participant& one) {
    return verification_.organisation_of(one.index) != own;
  });
  if (caller.index == state_.counts.leader && verification_.proposed_shards() == 0)
    return refuse("{} leads, and challenges others only", who);
  if (args.kind == challenge_kind::chunk && caller.index == verification_.author_of(args.kind, args.number))
    return refuse("{} has made chunk {} itself", who, args.number);
  if (caller.slot.in_weightage == 0) return refuse("{} contributes nothing to the round", who);
  if (rounds_.is_barred({caller.index, caller.slot}) && !state_.has(peer_sets::able, caller.index))
    return refuse("{} is barred until round {}", who, state_.standing(caller.index).barred_until);
  const auto said_by = verification_.sayers(args.kind, args.number);
  for (const auto index : said_by ? state_.load(*said_by).indexes() : std::vector<std::uint16_t>{})
    if (index == caller.index || (has_others && verification_.organisation_of(index) == own))
      return refuse("{} or another peer of its organisation has said so of the proposal already", who);
  if (!has_others) return {};
  const auto aside = rounds_.set_aside();
  if (!aside.contains(own)) return {};
  // Where only the organisation of who has made it is there besides, nobody else would say so.
  const auto made_by = verification_.organisation_of(verification_.author_of(args.kind, args.number));
  const bool others_can = std::any_of(in.begin(), in.end(), [&](const participant& one) {
    const auto organisation = verification_.organisation_of(one.index);
    return organisation != own && organisation != made_by && !aside.contains(organisation);
  });
  if (others_can)
    return refuse("the organisation of {} is set aside in this round, and others can challenge", who);
  return {};
}

result<> training_call::check_challenge(const challenge_args& args) const {
  if (args.kind == challenge_kind::unserved)
    return args.number == 0 ? result<>{} : refuse("number is {}, expected 0", args.number);
  if (args.kind == challenge_kind::chunk) {
    const auto chunks = verification_.chunks();
    // Beyond the chunks are the units, for what they are measured to.
    if (args.number >= chunks + verification_.measured_units())
      return refuse("chunk {} is not one of the {} that are dealt out", args.number, chunks);
    return {};
  }
  const auto record = state_.merge(args.round_num);
  if (args.number >= record.excluded.size())
    return refuse("position {} is not one of the {} excluded", args.number, record.excluded.size());
  const auto& one = record.excluded[args.number];
  const auto peer = state_.peer(one.index);
  if (one.reason == exclusion_reason::not_available && peer.has(peer_slot::spared))
    return refuse("it was judged in this round already whether the model of {} is available",
                  to_hex(peer.account.view()));
  return {};
}

result<> training_call::on(const challenge_args& args) {
  SWARM_CHECK(check_round(args.generation, args.round_num, round_phase::verifying));
  SWARM_CHECK(check_term(args.term));
  SWARM_CHECK(check_attempt(args.attempt));
  if (args.attempt == 0) return refuse("the proposal is not dealt out yet, its seeds are being revealed");
  SWARM_TRY(const auto caller, calling_participant());
  SWARM_CHECK(check_challenge(args));
  SWARM_CHECK(check_challenger(caller, args));
  verification_.dispute(caller.index, args.kind, static_cast<std::uint32_t>(args.number));
  return done();
}

result<> training_call::on(const judge_args& args) {
  SWARM_CHECK(check_round(args.generation, args.round_num, round_phase::disputed));
  SWARM_CHECK(check_term(args.term));
  SWARM_CHECK(check_attempt(args.attempt));
  SWARM_TRY(const auto caller, awaited_caller("vote"));
  rounds_.emit(
      judged{caller.slot.account, args.round_num, args.generation, args.term, args.attempt, args.holds});
  verification_.take_vote(caller.index, args.holds);
  return done();
}

result<> training_call::on(const close_checks_args& args) {
  const auto phase = state_.round.phase;
  SWARM_CHECK(check_round(args.generation, args.round_num,
                          phase == round_phase::disputed ? phase : round_phase::verifying));
  SWARM_CHECK(check_term(args.term));
  SWARM_CHECK(check_attempt(args.attempt));
  SWARM_CHECK(calling_peer());
  const auto end = state_.checking().until;
  if (const auto now = host_.block_time(); now < end)
    return refuse("those who are awaited have {} s more", end - now);
  verification_.end_stage();
  return done();
}

} // namespace swarm::contracts
