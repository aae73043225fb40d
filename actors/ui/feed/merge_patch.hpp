#pragma once

#include <boost/json.hpp>

#include <optional>

namespace swarm::ui {

/// The patch (RFC 7396) that makes `to` of `from`; none when they are equal. Objects are compared member by member, all
/// else is replaced. `to` must have no null within an object: a patch could not say so.
std::optional<boost::json::value> merge_patch(const boost::json::value& from, const boost::json::value& to);

/// Applies a patch, as its receivers do.
void apply_patch(boost::json::value& to, const boost::json::value& patch);

} // namespace swarm::ui
