#pragma once

#include "actors/sl/channel/program_link.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

/// Start function of /sl/channel: does what comes to `link` and tells the follower what follows from it.
/// Keeps nothing itself, so it can be started anew at any time. Detached: it writes the program's weights to
/// the store.
start_function channel_actor(std::shared_ptr<program_link> link);

/// From the follower: puts an item into the link and wakes the channel, if there is one.
void tell_channel(role_base& self, program_link& link, any_link_item item);

} // namespace swarm::actors
