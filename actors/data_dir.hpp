#pragma once

#include "base/result.hpp"

#include <filesystem>

namespace swarm::actors {

/// Makes a role's data directory with its parents, for its owner only (0700), and locks it: two processes on
/// one data directory are refused. The lock lasts as long as the process.
result<> make_data_dir(const std::filesystem::path& dir);

} // namespace swarm::actors
