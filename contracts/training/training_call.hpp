#pragma once

#include "contracts/runtime/typed_contract.hpp"
#include "contracts/training/rounds.hpp"

namespace swarm::contracts {

/// One call of a training: an overload of `on` per function, with the rules of interfaces/ITraining.sol.
/// Changes are kept only when the result is good.
class training_call {
public:
  training_call(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), context_(context), state_(slots(host, context.self)), rounds_(state_, context_) {}

  // peers.cpp
  result<> on(const register_peer_args& args);
  result<> on(const leave_peer_args& args);
  result<> on(const report_loss_args& args);
  result<> on(const report_refusal_args& args);
  result<> on(const reset_args& args);
  // check_ins.cpp
  result<> on(const check_in_args& args);
  result<> on(const vote_close_args& args);
  // merging.cpp
  result<> on(const suspect_leader_args& args);
  result<> on(const commit_merge_args& args);
  // views.cpp
  result<std::string> on(const training_name_args& args) const;
  result<head_view> on(const head_args& args) const;
  result<std::vector<peer_view>> on(const peers_args& args) const;
  result<u256> on(const peer_count_args& args) const;
  result<std::vector<check_in_view>> on(const check_ins_args& args) const;
  result<merge_view> on(const merge_of_args& args) const;

private:
  /// A peer of this generation that was found and can be changed.
  struct found_peer {
    std::uint16_t index = 0;
    peer_slot slot;
  };
  /// The caller, which must be an active SL that is registered here and has not left.
  result<found_peer> calling_peer() const;
  /// The entry of `account`, which is added when there is none. It is in state none until that is changed.
  result<found_peer> find_or_add(const address& account);
  /// The caller, which must be in the current round.
  result<found_peer> calling_participant() const;
  result<> check_generation(std::uint64_t generation) const;
  /// Fails unless the training is in `phase` of exactly this round; the message tells where it is instead.
  result<> check_round(std::uint64_t generation, std::uint64_t round_num, round_phase phase) const;
  /// Fails unless `term` is the current one.
  result<> check_term(std::uint32_t term) const;

  result<> agree_on_parameters(const register_peer_args& args);
  result<> check_model(const check_in_args& args) const;
  result<> agree_on_layout(const check_in_args& args);
  void enter_round(found_peer& caller, const check_in_args& args);
  result<merge_record> check_partition(const commit_merge_args& args) const;

  result<> done();

  ledger::contract_host& host_;
  const ledger::call_context& context_;
  training_state state_;
  rounds rounds_;
};

} // namespace swarm::contracts
