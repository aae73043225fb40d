#pragma once

#include "base/log_level.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The newest lines of this process's log, in memory, for those who look at it from elsewhere.
namespace swarm::log {

struct tail_line {
  std::uint64_t number = 0; ///< 1 for the first one that was kept, then one more for each
  std::uint64_t unix_ms = 0;
  level lvl = level::info;
  std::string source;
  std::string text; ///< at most `tail_text_bytes_max`
};
inline constexpr std::size_t tail_lines_max = 2'000;
inline constexpr std::size_t tail_text_bytes_max = 2'048;

/// From now on lines are kept, for as long as the process lives; without this none is.
void keep_tail();
/// The newest lines of those with higher numbers than `after`, oldest first. After one that has not been yet: the
/// newest of all, as whoever asks has seen the lines of a process before this one.
std::vector<tail_line> tail_after(std::uint64_t after, std::size_t lines_max);

/// By `write`.
void add_to_tail(level lvl, std::string_view source, std::string_view text);

} // namespace swarm::log
