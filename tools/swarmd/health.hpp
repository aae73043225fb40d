#pragma once

#include <filesystem>

namespace swarm {

/// Asks the swarmd that serves DATA_DIR/admin.sock for its actors and prints one line. 0 when it answers within seconds and
/// its root runs, else 1: nobody serves the socket, or whoever does stands still or comes down.
int health(const std::filesystem::path& data_dir);

} // namespace swarm
