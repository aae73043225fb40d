#pragma once

#include "actors/swci/commands/network.hpp"
#include "actors/ui/views/pictures.hpp"

#include <set>

namespace swarm::ui {

/// Adds to `times` when these blocks were made, of those that it does not know yet. A block that the SN does not have is
/// left out, and 0 stands for no block.
result<> learn_times(block_times& times, const std::set<std::uint64_t>& blocks, swci::network& sns);

} // namespace swarm::ui
