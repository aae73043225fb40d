#pragma once

#include "config/schema/value.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace swarm::schema {

/// A value as a YAML document of lines of at most `width` bytes (at least 40), "---" first, members in the order of
/// their keys. What stands plain stands so; other texts are quoted and go on in further lines where they are long. Reading
/// it gives an equal value.
std::vector<std::string> yaml_lines(const value& root, std::size_t width);

} // namespace swarm::schema
