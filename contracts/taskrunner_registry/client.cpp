#include "contracts/abi/client_side.hpp"
#include "contracts/taskrunner_registry/interface.hpp"

template struct swarm::contracts::abi::client_side<swarm::contracts::taskrunner_registry_interface>;
