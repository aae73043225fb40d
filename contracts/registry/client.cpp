#include "contracts/abi/client_side.hpp"
#include "contracts/registry/interface.hpp"

template struct swarm::contracts::abi::client_side<swarm::contracts::node_registry_interface>;
