#pragma once

#include "base/clock.hpp"

#include <algorithm>
#include <cstdint>
#include <map>

namespace swarm::vouching {

using organisation_id = std::uint16_t;

/// What each organisation may use up of something: so much at once, and so much a second. None takes from another's.
class organisation_budget {
public:
  organisation_budget(double burst, double per_second) : burst_(burst), per_second_(per_second) {}

  /// Takes one away; false when there is none left for the organisation.
  bool afford(organisation_id organisation, time_point now) {
    auto& one = all_.try_emplace(organisation, entry{burst_, now}).first->second;
    const auto passed = std::chrono::duration<double>(now - one.at).count();
    one = {std::min(burst_, one.left + passed * per_second_), now};
    if (one.left < 1) return false;
    one.left -= 1;
    return true;
  }

private:
  struct entry {
    double left = 0;
    time_point at;
  };
  double burst_;
  double per_second_;
  std::map<organisation_id, entry> all_; ///< there are at most as many as numbers
};

} // namespace swarm::vouching
