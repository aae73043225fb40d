#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace swarm::actors {

/// The small file with the SNs that the network told a node of, one endpoint a line. It is a hint: what
/// cannot be read is as good as nothing, and what it says is checked by whoever uses it.
std::vector<std::string> read_known_sns(const std::filesystem::path& file);
result<> write_known_sns(const std::filesystem::path& file, const std::vector<std::string>& endpoints);

} // namespace swarm::actors
