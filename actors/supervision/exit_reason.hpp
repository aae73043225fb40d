#pragma once

#include "actors/supervision/machine/restart_policy.hpp"
#include "base/result.hpp"

#include <caf/error.hpp>

namespace swarm::actors {

/// An error as CAF carries it: as exit reason, or as the answer to a request. The text survives, code and
/// category of a `swarm::error` do too.
caf::error to_caf(const swarm::error& from);
caf::error to_caf(std::string text);

/// In words, for any CAF error ("the request timed out", "no such actor", or the text given to `to_caf`).
std::string text_of(const caf::error& reason);

/// Back to a `swarm::error`; CAF's own errors become errc::timeout, unavailable or internal.
swarm::error from_caf(const caf::error& reason);

/// The exit reason of an actor that ended so, and back.
caf::error to_reason(const exit_info& how);
exit_info exit_info_of(const caf::error& reason);

/// An order to end for good. Whoever is ended with any other reason will be started again.
bool is_for_good(const caf::error& reason);

} // namespace swarm::actors
