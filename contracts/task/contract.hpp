#pragma once

#include "ledger/native_contract.hpp"

namespace swarm::contracts {

/// ITaskRegistry as a native contract; see interfaces/ITaskRegistry.sol.
std::shared_ptr<const ledger::native_contract> make_task_registry();

/// The registry's slots in a chain whose only task is ROOTTASK.
std::vector<std::pair<hash32, hash32>> task_registry_genesis();

} // namespace swarm::contracts
