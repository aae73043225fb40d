#include "contracts/contracts.hpp"

#include "contracts/registry/contract.hpp"
#include "contracts/registry/interface.hpp"
#include "contracts/training/contract.hpp"
#include "contracts/training/interface.hpp"
#include "contracts/training_registry/contract.hpp"
#include "contracts/training_registry/interface.hpp"

namespace swarm::contracts {

ledger::native_contract_set make_contracts() {
  ledger::native_contract_set out;
  out.kinds = {{node_registry_kind, make_node_registry()},
               {training_registry_kind, make_training_registry()},
               {training_kind, make_training()}};
  out.genesis = {
      {node_registry_address(), node_registry_kind, {}},
      {training_registry_address(), training_registry_kind, training_registry_genesis(default_training_name)},
      {training_address(default_training_name), training_kind, training_genesis(default_training_name)}};
  return out;
}

} // namespace swarm::contracts
