#pragma once

#include "transport/p2p/p2p_options.hpp"

#include <algorithm>
#include <chrono>

namespace swarm::p2p {

inline double seconds_between(time_point from, time_point to) {
  return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

/// Counts what a neighbor sends of one kind against its limit.
class token_bucket {
public:
  token_bucket(rate_limit limit, time_point now) : limit_(limit), tokens_(limit.burst), updated_(now) {}

  /// Returns false and takes nothing when that would exceed the limit.
  bool take(double units, time_point now) {
    tokens_ = std::min(limit_.burst, tokens_ + seconds_between(updated_, now) * limit_.per_second);
    updated_ = std::max(updated_, now);
    if (tokens_ < units) return false;
    tokens_ -= units;
    return true;
  }

private:
  rate_limit limit_;
  double tokens_;
  time_point updated_;
};

/// The sum of a neighbor's offence points, which are forgiven with time.
class offence_score {
public:
  offence_score(double points_max, double forgiven_per_second, double points, time_point now)
      : points_max_(points_max), forgiven_per_second_(forgiven_per_second),
        points_(std::clamp(points, 0.0, points_max)), updated_(now) {}

  /// Returns true when the sum has become too large.
  bool add(double points, time_point now) {
    points_ = this->points(now) + std::max(0.0, points);
    updated_ = std::max(updated_, now);
    return points_ >= points_max_;
  }
  double points(time_point now) const {
    return std::max(0.0, points_ - seconds_between(updated_, now) * forgiven_per_second_);
  }

private:
  double points_max_;
  double forgiven_per_second_;
  double points_;
  time_point updated_;
};

} // namespace swarm::p2p
