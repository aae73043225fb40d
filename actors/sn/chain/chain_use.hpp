#pragma once

#include "ledger/chain/chain_view.hpp"

#include <boost/json/fwd.hpp>

namespace swarm::actors {

/// How much of its day on the chain each organisation has used that put anything there on the day of `now` (seconds since
/// 1970): its name, bytes, limit. Empty on a chain without organisations.
boost::json::array chain_use_json(const ledger::chain_view& at, std::uint64_t now);

} // namespace swarm::actors
