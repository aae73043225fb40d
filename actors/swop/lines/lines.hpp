#pragma once

#include "actors/supervision/child_spec.hpp"
#include "actors/swop/swop_context.hpp"

namespace swarm::actors {

/// `/swop/lines`: what the failed programs of a part wrote last, for SWCIs that ask the server in the context, which
/// there must be.
start_function lines_actor(std::shared_ptr<const swop_context> context);

} // namespace swarm::actors
