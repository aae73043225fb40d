#pragma once

#include "contracts/organisations/interface.hpp"
#include "contracts/runtime/slots.hpp"

#include <utility>
#include <vector>

namespace swarm::contracts {

/// ITraining as a native contract; see interfaces/ITraining.sol.
std::shared_ptr<const ledger::native_contract> make_training();

/// Makes the empty contract behind `in` a training called `name`, in generation 1, collecting round 1. It belongs to
/// `owner`, or to nobody.
void init_training(const slots& in, std::string_view name, organisation_id owner);

/// The slots of such a training at genesis.
std::vector<std::pair<hash32, hash32>> training_genesis(std::string_view name);

} // namespace swarm::contracts
