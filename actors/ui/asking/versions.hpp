#pragma once

#include "actors/ui/asking/ask.hpp"

namespace swarm::ui {

/// Which swarmd a node is, as that node says itself: an SN by its JSON-RPC, an SL by its file server, a SWOP of this
/// organisation by what it says of its host. A SWCI has nothing that could be asked.
result<boost::json::value> version_json(const question::version& what, const asking& with);

/// The host:port of an SN for clients, as the SN that is asked knows it; empty: it does not.
result<std::string> api_endpoint_of(const address& sn, const asking& with);

} // namespace swarm::ui
