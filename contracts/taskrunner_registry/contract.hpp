#pragma once

#include "ledger/native_contract.hpp"

namespace swarm::contracts {

/// ITaskrunnerRegistry as a native contract; see interfaces/ITaskrunnerRegistry.sol.
std::shared_ptr<const ledger::native_contract> make_taskrunner_registry();

/// The registry's slots in a chain whose first taskrunner is `name`.
std::vector<std::pair<hash32, hash32>> taskrunner_registry_genesis(std::string_view name);

} // namespace swarm::contracts
