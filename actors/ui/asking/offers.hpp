#pragma once

#include "actors/ui/asking/ask.hpp"

namespace swarm::ui {

/// What the host of a SWOP of this organisation offers, as that SWOP says now.
result<boost::json::value> offer_json(const question::host& what, const asking& with);

/// Such as "swarmd/v0.1.0"; empty: it does not say.
result<std::string> version_of_swop(const std::string& swop, const asking& with);

} // namespace swarm::ui
