#pragma once

#include "contracts/runtime/slots.hpp"

#include <functional>
#include <utility>
#include <vector>

namespace swarm::contracts {

/// The slots that `write` stores in an empty contract, in order of slot number. A genesis account
/// starts with them.
std::vector<std::pair<hash32, hash32>> record_stores(const std::function<void(const slots&)>& write);

} // namespace swarm::contracts
