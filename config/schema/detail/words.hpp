#pragma once

#include "config/schema/value.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <string>

/// What broken rules are called towards people.
namespace swarm::schema::detail {

/// "a whole number" of "integer", the name of a type in JSON Schema.
std::string_view word_of(std::string_view type);
/// "is a number, expected text; put it in quotes"
std::string wrong_type(const value& found, const boost::json::value& expected);
/// "unknown key; did you mean 'Command'?"
std::string unknown_key(std::string_view key, const boost::json::object* properties);
/// "'docker' is none of DOCKER, PROCESS; did you mean 'DOCKER'?"
std::string not_in_list(const value& found, const boost::json::array& list);
/// "longer than 160 characters (it has 171)", "fewer than 1 item (it has 0)"
std::string beyond(std::string_view comparison, double bound, std::string_view unit, std::size_t has);

} // namespace swarm::schema::detail
