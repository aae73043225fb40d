#pragma once

#include "actors/swop/managers/process/build/confine.hpp"
#include "actors/swop/managers/process/host_facts.hpp"
#include "actors/swop/managers/process/shim_call.hpp"

#include <doctest/doctest.h>

namespace swarm::build::test {

/// Whether sandboxes can be made on this host. Says so when not; a test returns then.
inline bool has_sandboxes() {
  const auto bwrap = managers::find_bwrap();
  const auto can = bwrap ? managers::try_sandbox(*bwrap) : tl::unexpected(bwrap.error());
  if (!can) MESSAGE("not tried: no sandboxes on this host: ", can.error().message);
  return can.has_value();
}

inline result<child_command> in_sandbox(child_command what) {
  return confined(managers::shim_beside_this_program(), std::move(what));
}

} // namespace swarm::build::test
