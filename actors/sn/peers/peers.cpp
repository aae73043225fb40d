#include "actors/sn/peers/peers.hpp"

#include "actors/sn/peers/hub.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

child_spec make_peers(const std::shared_ptr<const sn_context>& context, std::string name) {
  return nested({.name = std::move(name),
                 .how = strategy::one_for_one,
                 .intensity = {.max_restarts = 0},
                 .children = {{.name = "hub", .start = hub_actor(context)}}});
}

} // namespace swarm::actors
