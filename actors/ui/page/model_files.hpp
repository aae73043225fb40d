#pragma once

#include "base/bytes.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Models that the server has fetched for browsers, called by their digests: /models/DIGEST.safetensors lies in a folder
/// of the data directory under its last name.
namespace swarm::ui {

std::string model_file_name(const hash32& digest);
std::string model_path(const hash32& digest);
/// The digest in a path that `model_path` makes; none: it is no such path.
std::optional<hash32> model_of_path(std::string_view path);

} // namespace swarm::ui
