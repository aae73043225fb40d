#pragma once

#include "contracts/organisations/interface.hpp"

#include <array>
#include <map>

namespace swarm::membership {

/// How many bytes of transactions each organisation has put on the chain within a day, by the hour. What was before this
/// SN started does not count.
class chain_budget {
public:
  /// `now` in seconds; it does not go back.
  void count(contracts::organisation_id by, std::size_t bytes, std::uint64_t now);
  /// In the last 24 hours, the current one included.
  std::uint64_t used(contracts::organisation_id by, std::uint64_t now) const;

private:
  struct hour {
    std::uint64_t number = 0; ///< since 1970
    std::uint64_t bytes = 0;
  };
  std::map<contracts::organisation_id, std::array<hour, 24>> days_;
};

} // namespace swarm::membership
