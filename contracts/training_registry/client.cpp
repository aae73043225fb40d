#include "contracts/abi/client_side.hpp"
#include "contracts/training_registry/interface.hpp"

template struct swarm::contracts::abi::client_side<swarm::contracts::training_registry_interface>;
