#pragma once

#include "ledger/native_contract.hpp"

namespace swarm::contracts {

/// INodeRegistry as a native contract; see interfaces/INodeRegistry.sol.
std::shared_ptr<const ledger::native_contract> make_node_registry();

} // namespace swarm::contracts
