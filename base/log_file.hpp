#pragma once

#include <string>

namespace swarm::log {

/// From now on log lines go to the end of this file and no more to standard error, where somebody is at work.
/// When it has grown to 8 MiB, it becomes FILE.1 and a new one begins. Returns false when it cannot be
/// written; nothing changes then.
bool write_to(const std::string& file);

} // namespace swarm::log
