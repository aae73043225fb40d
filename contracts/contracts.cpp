#include "contracts/contracts.hpp"

#include "contracts/registry/client.hpp"
#include "contracts/registry/node_registry.hpp"
#include "contracts/registry/training_registry.hpp"
#include "contracts/training/training.hpp"

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
