#pragma once

#include "actors/supervision/child_spec.hpp"
#include "actors/ui/ui_context.hpp"

namespace swarm::actors {

/// Start function of /ui/feed, the shell of feed/feed_hub.hpp. Threads of its own read the chain for it.
start_function hub_actor(std::shared_ptr<const ui_context> context);

} // namespace swarm::actors
