#pragma once

#include <chrono>
#include <cstdint>

namespace swarm {

/// Monotonic time for timers and durations. Pure code takes it as an argument and never asks for it.
using time_point = std::chrono::steady_clock::time_point;
using duration = std::chrono::steady_clock::duration;

/// Seconds since 1970 for block headers and logs. Never used as a deadline.
inline std::uint64_t unix_seconds() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(duration_cast<seconds>(system_clock::now().time_since_epoch()).count());
}

/// The same in milliseconds, used as a number that grows from message to message.
inline std::uint64_t unix_milliseconds() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

} // namespace swarm
