#pragma once

#include "config/sources/raw.hpp"

namespace swarm::config {

/// Environment variables by name. An empty value counts as not set.
using environment = std::map<std::string, std::string, std::less<>>;

/// The environment of this process.
environment process_environment();

/// The variable's value, or "".
std::string value_of(const environment& env, std::string_view name);

/// Reads the variables of every setting; of several variables of one setting the first that is set counts.
layer read_environment(const environment& env);

/// The items of a comma-separated list; a trailing comma and nothing at all add none.
std::vector<std::string> split_list(std::string_view text);

} // namespace swarm::config
