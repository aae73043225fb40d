#pragma once

#include "actors/supervision/probe.hpp"

#include <boost/json/fwd.hpp>

namespace swarm::actors {

/// An actor for `tree` and `actor`; `with_detail` adds the state struct's own JSON. Seconds end in `_s`.
boost::json::object to_json(const actor_status& status, bool with_detail);
boost::json::object to_json(const trace_event& event);

/// The rows of `top` from two samples taken `seconds` apart: {path, busy (share of one core's time, 0..1),
/// handled_per_s, mailbox, state, current, current_s}, the busiest first. Actors that were (re)started in
/// between count from their start.
boost::json::array top_rows(const std::vector<actor_status>& before, const std::vector<actor_status>& after,
                            double seconds);

} // namespace swarm::actors
