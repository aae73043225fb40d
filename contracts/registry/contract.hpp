#pragma once

#include "ledger/native_contract.hpp"

namespace swarm::contracts {

/// INodeRegistry as a native contract; see interfaces/INodeRegistry.sol.
std::shared_ptr<const ledger::native_contract> make_node_registry();

/// What its slots hold at genesis beside the validators. The founders are as ledger::normalize leaves them; their ids
/// count from 1, as in the OrganisationRegistry.
std::vector<std::pair<hash32, hash32>> node_registry_genesis(const std::vector<ledger::founder>& founders);

} // namespace swarm::contracts
