#pragma once

#include "contracts/runtime/typed_contract.hpp"
#include "contracts/training/agreement.hpp"
#include "contracts/training/shards.hpp"
#include "contracts/training/verification.hpp"

namespace swarm::contracts {

/// One call of a training: an overload of `on` per function, with the rules of interfaces/ITraining.sol.
/// Changes are kept only when the result is good.
class training_call {
public:
  training_call(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), context_(context), state_(slots(host, context.self), context.rules),
        rounds_(state_, context_), agreement_(state_, rounds_, context_),
        verification_(state_, rounds_, context_) {}

  // peers.cpp
  result<> on(const register_peer_args& args);
  result<> on(const leave_peer_args& args);
  result<> on(const report_loss_args& args);
  result<> on(const report_refusal_args& args);
  // accusations.cpp
  result<> on(const accuse_peer_args& args);
  result<> on(const answer_accusation_args& args);
  // owners.cpp
  result<> on(const reset_args& args);
  result<> on(const reset_with_note_args& args);
  result<> on(const invite_args& args);
  result<> on(const set_verify_args& args);
  result<owner_view> on(const owner_args& args) const;
  result<std::vector<owner_view>> on(const invited_args& args) const;
  result<std::vector<owner_view>> on(const reset_votes_args& args) const;
  result<reset_view> on(const last_reset_args& args) const;
  // check_ins.cpp
  result<> on(const check_in_args& args);
  result<> on(const vote_close_args& args);
  // reveals.cpp
  result<> on(const reveal_args& args);
  result<> on(const close_reveals_args& args);
  // merging.cpp
  result<> on(const suspect_leader_args& args);
  result<> on(const commit_merge_args& args);
  // making.cpp
  result<> on(const commit_shard_args& args);
  // measuring.cpp
  result<> on(const measure_shard_args& args);
  result<measures_view> on(const measures_args& args);
  // verifying.cpp
  result<> on(const reveal_seed_args& args);
  result<> on(const attest_args& args);
  result<> on(const challenge_args& args);
  result<> on(const judge_args& args);
  result<> on(const close_checks_args& args);
  // views.cpp
  result<std::string> on(const training_name_args& args) const;
  result<head_view> on(const head_args& args) const;
  result<std::vector<peer_view>> on(const peers_args& args) const;
  result<u256> on(const peer_count_args& args) const;
  result<std::vector<check_in_view>> on(const check_ins_args& args) const;
  result<merge_view> on(const merge_of_args& args) const;
  result<merge_view> on(const proposal_args& args) const;
  result<checks_view> on(const checks_args& args);
  result<shards_view> on(const shards_args& args);
  result<std::vector<hash32>> on(const shard_roots_args& args);

private:
  /// A peer of this generation that was found and can be changed.
  struct found_peer {
    std::uint16_t index = 0;
    peer_slot slot;
  };
  /// The caller, which must be an active SL that is registered here and has not left. It has given a sign of life.
  result<found_peer> calling_peer();
  /// Ends the accusation of a peer, if there is one; false when there is none.
  bool acquit(const found_peer& peer);
  /// Says and charges that whoever accused the caller was wrong.
  void hear(const found_peer& caller);
  bool has_others_than(organisation_id organisation) const;
  /// Block time from which on the peer may accuse others, as neither it nor, where there are several, its organisation did so
  /// wrongly.
  std::uint64_t may_accuse_at(std::uint16_t index) const;
  /// A peer leaves, by itself or as it was not heard; what follows from that is not settled yet.
  void take_leave(found_peer& peer, leave_reason why);
  void leave_closed_round(std::uint16_t index);
  /// The entry of `account`, which is added when there is none. It is in state none until that is changed.
  result<found_peer> find_or_add(const address& account, organisation_id organisation);
  result<> check_invited(organisation_id organisation) const;
  std::set<organisation_id> organisations_at_work() const;
  /// With what is said with it; empty: nothing is.
  result<> reset(const std::string& note);
  void start_anew(const std::string& note);
  result<> check_room_of(organisation_id organisation);
  result<> check_place() const;
  /// The caller, which must be in the current round.
  result<found_peer> calling_participant();
  result<> check_generation(std::uint64_t generation) const;
  /// Fails unless the training is in `phase` of exactly this round; the message tells where it is instead.
  result<> check_round(std::uint64_t generation, std::uint64_t round_num, round_phase phase) const;
  /// Fails unless `term` is the current one.
  result<> check_term(std::uint32_t term) const;

  /// False: it may ask for them, but others are in force.
  result<bool> agree_on_parameters(const found_peer& caller, const register_peer_args& args,
                                   organisation_id organisation);
  void leave_round(found_peer& caller);
  void note_organisation(std::uint16_t index, organisation_id organisation);
  result<> check_model(const check_in_args& args) const;
  /// False: it may bring a model of this layout, but another is in force.
  result<bool> agree_on_layout(const found_peer& caller, const check_in_args& args);
  std::uint16_t seconds_since_merge_of(std::uint64_t base_round) const;
  void wait_outside(found_peer& caller, const check_in_args& args);
  void wait_for_reveal(found_peer& caller, const check_in_args& args);
  bool is_outside(const found_peer& caller) const;
  result<> check_opening(const found_peer& caller, const reveal_args& args) const;
  bool is_copy(const found_peer& caller, const hash32& digest);
  void forget_last_reveal(const found_peer& caller);
  void tell_check_in(const found_peer& caller, const check_in_args& args) const;
  result<> check_attempt(std::uint32_t attempt);
  result<found_peer> awaited_caller(std::string_view what);
  result<> check_challenger(const found_peer& caller, const challenge_args& args);
  result<> check_challenge(const challenge_args& args) const;
  merge_view view_of(std::uint64_t round_num) const;
  result<> check_maker(const shard_board& board, const found_peer& caller, const commit_shard_args& args);
  void propose_shards(const hash32& root);
  result<> check_measurer(const shard_board& board, const found_peer& caller,
                          const measure_shard_args& args) const;
  void bar_silent_makers();
  bool has_shards();
  /// The caller, an SN or SWCI of the owner, which is there.
  result<> check_owner(std::string_view right) const;
  result<merge_record> check_partition(const commit_merge_args& args) const;

  result<> done();

  ledger::contract_host& host_;
  const ledger::call_context& context_;
  training_state state_;
  rounds rounds_;
  agreement agreement_;
  verification verification_;
};

} // namespace swarm::contracts
