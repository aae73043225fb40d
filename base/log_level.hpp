#pragma once

namespace swarm::log {

/// How much something matters. It has a header of its own so that pure code, whose lines others write,
/// can name it.
enum class level { trace, debug, info, warning, error, off };

} // namespace swarm::log
