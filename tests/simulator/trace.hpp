#pragma once

#include "base/bytes.hpp"

#include <deque>
#include <string>

namespace swarm::simulator {

/// Simulated time in microseconds since the start.
using sim_time = std::int64_t;
inline constexpr sim_time millisecond = 1000;
inline constexpr sim_time second = 1'000'000;

/// The last events, kept as numbers and turned into text only when somebody wants to read them.
class trace {
public:
  explicit trace(std::size_t lines_max) : lines_max_(lines_max) {}

  struct line {
    sim_time at = 0;
    std::size_t node = 0;
    const char* what = "";        ///< a literal
    std::string_view detail = ""; ///< a literal
    std::uint64_t block_num = 0;
    std::uint64_t round_num = 0;
    std::uint32_t digest = 0; ///< the first bytes of a hash, 0 for none
    std::int64_t other = -1;  ///< another node, or -1
  };
  void add(const line& item) {
    if (lines_max_ == 0) return;
    if (lines_.size() == lines_max_) lines_.pop_front();
    lines_.push_back(item);
  }
  std::string text() const;

private:
  std::size_t lines_max_;
  std::deque<line> lines_;
};

} // namespace swarm::simulator
