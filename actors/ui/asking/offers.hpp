#pragma once

#include "actors/ui/asking/ask.hpp"

namespace swarm::ui {

/// What the host of a SWOP of this organisation offers, as that SWOP says now.
result<boost::json::value> offer_json(const question::host& what, const asking& with);

/// Such as "swarmd/v0.1.0"; empty: it does not say.
result<std::string> version_of_swop(const std::string& swop, const asking& with);

/// The newest lines of the log of a SWOP of this organisation, of those with higher numbers, as that SWOP says now.
result<boost::json::value> swop_log_json(const std::string& swop, std::uint64_t after, const asking& with);

} // namespace swarm::ui
