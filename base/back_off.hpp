#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"

#include <algorithm>

namespace swarm {

/// Waiting times between attempts: doubling from `first` up to `longest`, each shortened by a random part of
/// up to half so that many clients do not come back together. The same seed gives the same times.
class back_off {
public:
  back_off(duration first, duration longest, std::uint64_t seed)
      : first_(std::max(first, duration{1})), longest_(std::max(longest, first_)), step_(first_),
        random_(seed) {}

  /// How long to wait before the next attempt; in [d/2, d] where d = min(first * 2^attempts, longest).
  duration next() {
    auto whole = step_;
    step_ = step_ > longest_ / 2 ? longest_ : step_ * 2;
    ++attempts_;
    auto half = static_cast<std::uint64_t>(whole.count() / 2);
    return whole - duration{static_cast<duration::rep>(random_.below(half + 1))};
  }
  /// To be called after a success: the next wait is `first` again.
  void reset() {
    step_ = first_;
    attempts_ = 0;
  }
  /// Calls of `next` since the start or the last reset.
  std::uint64_t attempts() const { return attempts_; }

private:
  duration first_;
  duration longest_;
  duration step_;
  std::uint64_t attempts_ = 0;
  seeded_random random_;
};

} // namespace swarm
