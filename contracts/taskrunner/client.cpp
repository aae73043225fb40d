#include "contracts/taskrunner/client.hpp"

#include "contracts/abi/client_side.hpp"

template struct swarm::contracts::abi::client_side<swarm::contracts::taskrunner_interface>;
