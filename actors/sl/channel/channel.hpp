#pragma once

#include "actors/sl/channel/program_link.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

/// Start function of /sl/channel, which handles the items of `link` and tells the follower what follows from
/// them. It keeps nothing itself, so it can be restarted at any time. It is detached, as it writes the
/// program's weights to the store.
start_function channel_actor(std::shared_ptr<program_link> link);

/// From the follower: puts an item into the link and wakes the channel, if there is one.
void tell_channel(role_base& self, program_link& link, any_link_item item);

} // namespace swarm::actors
