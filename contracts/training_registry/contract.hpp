#pragma once

#include "ledger/native_contract.hpp"

namespace swarm::contracts {

/// ITrainingRegistry as a native contract; see interfaces/ITrainingRegistry.sol.
std::shared_ptr<const ledger::native_contract> make_training_registry();

/// The registry's slots in a chain whose first training is `name`.
std::vector<std::pair<hash32, hash32>> training_registry_genesis(std::string_view name);

} // namespace swarm::contracts
