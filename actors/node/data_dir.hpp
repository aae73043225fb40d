#pragma once

#include "base/result.hpp"

#include <filesystem>

namespace swarm::actors {

/// Checks who can reach a data directory, where keys, models and the socket of swarm-inspect are. Fails with
/// errc::denied when others may change what is in it, as they could put their own in its place; warns when
/// others may list it, which gives them nothing that has rights of its own.
result<> check_data_dir(const std::filesystem::path& dir);

} // namespace swarm::actors
