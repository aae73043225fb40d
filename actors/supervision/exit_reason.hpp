#pragma once

#include "actors/supervision/machine/restart_policy.hpp"
#include "base/result.hpp"

#include <caf/error.hpp>

namespace swarm::actors {

/// Turns an error into one of CAF, for exit reasons and answers to requests. Text, code and category survive.
caf::error to_caf(const swarm::error& from);
caf::error to_caf(std::string text);

/// The words for any CAF error ("no answer in time", "nobody there to ask", or the text given to `to_caf`).
std::string text_of(const caf::error& reason);

/// Turns a CAF error back into a `swarm::error`; CAF's own errors become errc::timeout, unavailable
/// or internal.
swarm::error from_caf(const caf::error& reason);

/// The exit reason of an actor that ended so, and the way back.
caf::error to_reason(const exit_info& how);
exit_info exit_info_of(const caf::error& reason);

/// Whether the reason is an order to end for good. An actor that is ended with any other reason will be
/// started again.
bool is_for_good(const caf::error& reason);

} // namespace swarm::actors
