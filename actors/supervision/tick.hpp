#pragma once

#include <caf/allowed_unsafe_message_type.hpp>

namespace swarm::actors {

/// From an actor to itself: some time has passed.
struct tick {};

} // namespace swarm::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::tick)
