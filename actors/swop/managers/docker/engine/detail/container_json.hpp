#pragma once

#include "actors/swop/managers/docker/engine/things.hpp"

#include <boost/json.hpp>

namespace swarm::engine::detail {

/// What an engine is given to make a container of.
boost::json::object container_json(const container_wanted& what);
/// The reverse, of what it says of one.
container_facts facts_of(const boost::json::object& from);

} // namespace swarm::engine::detail
