#pragma once

namespace swarm {
/// Prints the broken assertion and ends the process. Never returns.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
} // namespace swarm

/// Guards programmer errors only, also in release builds. Input from outside gets an `error` instead.
#define SWARM_ASSERT(expression)                                                                             \
  ((expression) ? static_cast<void>(0) : ::swarm::assertion_failed(#expression, __FILE__, __LINE__))
