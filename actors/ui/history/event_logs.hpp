#pragma once

#include "actors/swci/commands/network.hpp"
#include "actors/ui/views/event_json.hpp"

namespace swarm::ui {

/// A log as it is on the chain.
struct raw_log {
  std::vector<hash32> topics;
  bytes data;
};
/// None: it is nonsense.
std::optional<raw_log> raw_log_of(const boost::json::value& log);

/// The events of a training in these blocks, in the order of the chain; only those with one of `topics`, unless there are none.
result<std::vector<logged_event>> read_events(swci::network& sns, const address& training,
                                              std::uint64_t first_block, std::uint64_t last_block,
                                              const std::vector<hash32>& topics);

} // namespace swarm::ui
