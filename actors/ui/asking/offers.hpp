#pragma once

#include "actors/ui/asking/ask.hpp"

namespace swarm::ui {

/// What the host of a SWOP of this organisation offers, as that SWOP says now.
result<boost::json::value> offer_json(const question::host& what, const asking& with);

} // namespace swarm::ui
