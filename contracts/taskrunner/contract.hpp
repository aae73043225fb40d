#pragma once

#include "contracts/runtime/slots.hpp"

#include <memory>
#include <vector>

namespace swarm::contracts {

/// ITaskrunner as a native contract; see interfaces/ITaskrunner.sol.
std::shared_ptr<const ledger::native_contract> make_taskrunner();

/// Writes the first slots of a new taskrunner, which is made in block `block_num`.
void init_taskrunner(const slots& in, std::string_view name, std::uint64_t block_num);

/// The slots that a taskrunner has from genesis on.
std::vector<std::pair<hash32, hash32>> taskrunner_genesis(std::string_view name);

} // namespace swarm::contracts
