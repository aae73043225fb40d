#pragma once

#include "contracts/abi/client.hpp"
#include "contracts/taskrunner_registry/interface.hpp"

/// The TaskrunnerRegistry for programs outside the chain: `encode` and `decode_answer` of abi/client.hpp with the
/// structs of interface.hpp.
