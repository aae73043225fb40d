#pragma once

#include "tools/swarm-inspect/text_table.hpp"

#include <boost/json/fwd.hpp>

namespace swarm::inspect {

/// Each turns one answer of the admin socket into text for a person. Missing fields print as nothing, so that
/// an older or newer swarmd can be looked at. `now_unix_ms` is for ages.
std::string tree_view(const boost::json::object& answer, std::int64_t now_unix_ms, const style& how);
std::string actor_view(const boost::json::object& answer, std::int64_t now_unix_ms, const style& how);
std::string top_view(const boost::json::object& answer, const style& how);
/// One event of a trace as one line.
std::string trace_view(const boost::json::object& event, std::int64_t now_unix_ms, const style& how);
/// Any JSON as names and values, lists of objects as tables. The end of a name says what a number is: `_s`
/// seconds, `_ms` milliseconds, `_unix_ms` a time, `_bytes` a size.
std::string any_view(const boost::json::value& answer, std::int64_t now_unix_ms, const style& how);

} // namespace swarm::inspect
