#pragma once

#include "actors/sl/rounds/contract_view.hpp"

#include <boost/json/object.hpp>

namespace swarm::actors {

/// A training contract as `swarm-inspect round` shows it.
boost::json::object contract_json(const rounds::contract_view& view);

} // namespace swarm::actors
