#pragma once

#include "actors/swop/task/events.hpp"

#include <filesystem>

namespace swarm::actors {

/// Asks the SL that serves `admin_socket` where its program's session stands. One that does not answer within a second
/// leaves it unknown.
swop::event::session_seen look_at_session(std::uint32_t index, const std::filesystem::path& admin_socket);

} // namespace swarm::actors
