#pragma once

#include "actors/supervision/role_actor.hpp"

#include <string>
#include <string_view>

namespace swarm::actors {

/// The path of the supervisor above: "/sl" for "/sl/follower".
inline std::string parent_path(const role_base& self) {
  return self.path().substr(0, self.path().rfind('/'));
}

/// "/sl/channel" for "/sl/follower" and "channel". Several SLs of one process have different parents.
inline std::string sibling(const role_base& self, std::string_view name) {
  return parent_path(self) + "/" + std::string(name);
}

/// The same one level up: "/sn/chain" for "/sn/peers/hub" and "chain".
inline std::string sibling_of_parent(const role_base& self, std::string_view name) {
  const auto above = parent_path(self);
  return above.substr(0, above.rfind('/') + 1) + std::string(name);
}

} // namespace swarm::actors
