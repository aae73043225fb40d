#pragma once

#include "actors/sn/sn_context.hpp"
#include "actors/supervision/child_spec.hpp"

namespace swarm::actors {

/// /sn/peers: a supervisor over the hub, which has the connections to other SNs, and an actor for each of
/// these SNs. It gives up when the hub ends, as what others know of connections must not outlive them.
child_spec make_peers(const std::shared_ptr<const sn_context>& context, std::string name);

} // namespace swarm::actors
