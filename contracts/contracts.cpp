#include "contracts/contracts.hpp"

#include "contracts/organisations/chain_space.hpp"
#include "contracts/organisations/contract.hpp"
#include "contracts/organisations/interface.hpp"
#include "contracts/registry/contract.hpp"
#include "contracts/registry/interface.hpp"
#include "contracts/registry/turns.hpp"
#include "contracts/task/contract.hpp"
#include "contracts/task/interface.hpp"
#include "contracts/taskrunner/contract.hpp"
#include "contracts/taskrunner/interface.hpp"
#include "contracts/taskrunner_registry/contract.hpp"
#include "contracts/taskrunner_registry/interface.hpp"
#include "contracts/training/contract.hpp"
#include "contracts/training/interface.hpp"
#include "contracts/training_registry/contract.hpp"
#include "contracts/training_registry/interface.hpp"

namespace swarm::contracts {

ledger::native_contract_set make_contracts() {
  ledger::native_contract_set out;
  out.kinds = {{node_registry_kind, make_node_registry()},
               {training_registry_kind, make_training_registry()},
               {training_kind, make_training()},
               {task_registry_kind, make_task_registry()},
               {taskrunner_registry_kind, make_taskrunner_registry()},
               {taskrunner_kind, make_taskrunner()},
               {organisation_registry_kind, make_organisation_registry()}};
  out.space = make_chain_space_rule();
  out.turns = make_turn_rule();
  out.genesis = {
      {node_registry_address(), node_registry_kind, {}, node_registry_genesis},
      {training_registry_address(), training_registry_kind, training_registry_genesis(default_training_name)},
      {training_address(default_training_name), training_kind, training_genesis(default_training_name)},
      {task_registry_address(), task_registry_kind, task_registry_genesis()},
      {taskrunner_registry_address(), taskrunner_registry_kind,
       taskrunner_registry_genesis(default_taskrunner_name)},
      {taskrunner_address(default_taskrunner_name), taskrunner_kind,
       taskrunner_genesis(default_taskrunner_name)},
      {organisation_registry_address(), organisation_registry_kind, {}, organisation_registry_genesis}};
  return out;
}

} // namespace swarm::contracts
