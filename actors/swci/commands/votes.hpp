#pragma once

#include "actors/swci/commands/network.hpp"
#include "actors/swci/language/render/answers.hpp"

#include <optional>

namespace swarm::swci {

/// Votes for a motion on organisations that somebody else has moved, with just what it says. Fails with errc::not_found
/// when no such motion is open.
result<std::optional<answer>> vote_for(network& sns, const hash32& motion);

} // namespace swarm::swci
