#pragma once

#include "actors/ui/asking/ask.hpp"

namespace swarm::ui {

/// The newest lines of the log of an SN, SL or SWOP of this organisation, of those with higher numbers, as that node says now.
result<boost::json::value> node_log_json(const std::string& node, std::uint64_t after, const asking& with);

} // namespace swarm::ui
