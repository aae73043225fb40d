#pragma once

#include "ledger/native_contract.hpp"

namespace swarm::contracts {

/// IOrganisationRegistry as a native contract; see interfaces/IOrganisationRegistry.sol.
std::shared_ptr<const ledger::native_contract> make_organisation_registry();

/// What its slots hold at genesis. The founders are as ledger::normalize leaves them; their ids count from 1.
std::vector<std::pair<hash32, hash32>>
organisation_registry_genesis(const std::vector<ledger::founder>& founders);

} // namespace swarm::contracts
