#pragma once

#include "actors/sn/rpc/caller.hpp"
#include "base/clock.hpp"

#include <boost/json/fwd.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace swarm::rpc {

/// How much work a thread does for each organisation, and who asks for more than its share. For log and status: who is
/// next is for `turns`.
class work_shares {
public:
  /// So much work within a period is too much for one organisation while others wait: a fifth of what a thread can do.
  static constexpr duration period = std::chrono::seconds(10);
  static constexpr std::uint64_t units_in_period = 100'000;

  /// Work that was done; `others_wait`: another organisation wants some. Returns a line for the log, at most one in a
  /// period for an organisation.
  std::optional<std::string> note(const caller& by, std::uint64_t units, bool others_wait, time_point now);
  /// An object for each organisation: what it is called, units in all and in this period, how often it was told of.
  boost::json::array to_json() const;

private:
  struct share {
    std::string name;
    std::uint64_t units = 0;
    std::uint64_t in_period = 0;
    std::uint64_t periods_over = 0;
    bool told = false; ///< in this period
  };

  std::map<hash32, share> shares_; ///< by organisation; there are as many as trusted anchors at most
  time_point began_;
};

} // namespace swarm::rpc
