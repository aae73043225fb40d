#pragma once

#include "actors/swci/commands/network.hpp"
#include "actors/ui/views/event_json.hpp"

namespace swarm::ui {

/// The events of a training in these blocks, in the order of the chain; only those with one of `topics`, unless there are none.
result<std::vector<logged_event>> read_events(swci::network& sns, const address& training,
                                              std::uint64_t first_block, std::uint64_t last_block,
                                              const std::vector<hash32>& topics);

} // namespace swarm::ui
