#include "contracts/task/client.hpp"

#include "contracts/abi/client_side.hpp"

template struct swarm::contracts::abi::client_side<swarm::contracts::task_registry_interface>;
