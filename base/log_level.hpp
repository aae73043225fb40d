#pragma once

namespace swarm::log {

/// How much something matters; also for pure code, which has its lines written by others.
enum class level { trace, debug, info, warning, error, off };

} // namespace swarm::log
