#include "contracts/registry/node_records.hpp"
#include "contracts/training/training_call.hpp"

#include <array>

// What the functions of a training check before they change anything.
namespace swarm::contracts {

result<training_call::found_peer> training_call::calling_peer() {
  const auto& caller = context_.caller;
  SWARM_CHECK(require_active_node(host_, caller, {node_type::sl}));
  const auto index = state_.find(caller);
  if (!index)
    return refuse("{} is no peer of generation {}: call registerPeer first", to_hex(caller.view()),
                  state_.round.generation);
  found_peer out{*index, state_.peer(*index)};
  if (out.slot.state == peer_state::left)
    return refuse("{} has left this training: call registerPeer to come back", to_hex(caller.view()));
  hear(out);
  return out;
}

result<training_call::found_peer> training_call::calling_participant() {
  SWARM_TRY(auto caller, calling_peer());
  if (!state_.is_in(caller.slot))
    return refuse("{} has not checked in for round {}", to_hex(caller.slot.account.view()),
                  state_.round.round_num);
  return caller;
}

result<> training_call::check_generation(std::uint64_t generation) const {
  if (generation == state_.round.generation) return {};
  return refuse("generation {} is in force, the call is for {}", state_.round.generation, generation);
}

result<> training_call::check_round(std::uint64_t generation, std::uint64_t round_num,
                                    round_phase phase) const {
  SWARM_CHECK(check_generation(generation));
  const auto& round = state_.round;
  if (round.phase == round_phase::complete)
    return refuse("the training is complete, round {} was its last", round.round_num - 1);
  constexpr std::array<std::string_view, 7> doings{"collecting",     "being merged",  "complete",
                                                   "being revealed", "being checked", "being disputed",
                                                   "stopped"};
  const auto now = doings.at(static_cast<std::size_t>(round.phase));
  if (round_num < round.round_num)
    return refuse("round {} is closed, round {} is {}", round_num, round.round_num, now);
  if (round_num > round.round_num)
    return refuse("round {} has not begun, round {} is {}", round_num, round.round_num, now);
  if (round.phase == phase) return {};
  if (round.phase == round_phase::revealing)
    return refuse("round {} is closed, its peers reveal their models", round_num);
  if (round.phase == round_phase::collecting)
    return refuse("round {} is not closed yet, it is collecting", round_num);
  if (round.phase == round_phase::stopped)
    return refuse(
        "round {} is stopped, as its peers do not agree on its merge: a reset starts the training over",
        round_num);
  const auto leader = to_hex(state_.peer(state_.counts.leader).account.view());
  if (round.phase == round_phase::merging)
    return refuse("round {} is closed and being merged by {}", round_num, leader);
  return refuse("round {} is closed, and what {} has merged is {}", round_num, leader, now);
}

result<> training_call::check_term(std::uint32_t term) const {
  if (term == state_.round.term) return {};
  return refuse("term {} of round {} is in force, the call is for term {}", state_.round.term,
                state_.round.round_num, term);
}

result<> training_call::done() {
  state_.save();
  return {};
}

} // namespace swarm::contracts
