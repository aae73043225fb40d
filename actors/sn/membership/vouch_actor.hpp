#pragma once

#include "actors/sn/sn_context.hpp"
#include "actors/supervision/child_spec.hpp"

namespace swarm::actors {

/// /sn/vouching: checks the proofs of nodes that want to be members, and vouches for them; the shell of
/// membership::vouch_desk.
start_function vouch_actor(std::shared_ptr<const sn_context> context);

} // namespace swarm::actors
