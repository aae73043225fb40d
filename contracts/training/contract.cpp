#include "contracts/training/contract.hpp"

#include "contracts/runtime/genesis.hpp"
#include "contracts/training/training_call.hpp"

namespace swarm::contracts {

std::shared_ptr<const ledger::native_contract> make_training() {
  return std::make_shared<typed_contract<training_call, training_interface>>();
}

void init_training(const slots& in, std::string_view name, organisation_id owner) {
  training_state state(in);
  state.set_name(name);
  if (owner != 0) state.set_owner(owner);
  state.round.generation = 1;
  state.round.round_num = 1;
  state.save();
}

training_end end_of_training(const slots& in) {
  const training_state state(in);
  if (state.round.phase == round_phase::complete) return training_end::complete;
  return state.round.generation > 1 && state.counts.peers == 0 ? training_end::emptied : training_end::ahead;
}

bool is_under_way(const slots& in) {
  const training_state state(in);
  return state.round.phase != round_phase::complete && state.counts.active + state.counts.finished > 0;
}

bool has_peer(const slots& in, const address& account) {
  const training_state state(in);
  const auto& counts = state.counts;
  if (state.round.phase == round_phase::complete
      || counts.active + counts.absent + counts.finished + counts.odd == 0)
    return false;
  const auto index = state.find(account);
  if (!index) return false;
  const auto is = state.peer(*index).state;
  return is != peer_state::none && is != peer_state::left;
}

void retire_training(const slots& in) {
  training_state state(in);
  state.retire();
  state.save();
}

std::vector<std::pair<hash32, hash32>> training_genesis(std::string_view name) {
  return record_stores([name](const slots& in) { init_training(in, name, 0); });
}

} // namespace swarm::contracts
