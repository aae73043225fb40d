#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"

#include <map>
#include <optional>

namespace swarm::rpc {

/// When each node last said that it is alive. Off the chain: an opinion of this SN, lost at its end.
class liveness {
public:
  /// Silent for this long, a node counts as dead.
  static constexpr duration silent_after = std::chrono::seconds(10);

  explicit liveness(time_point started) : started_(started) {}

  void heard_from(const address& who, time_point now) { last_heard_[who] = now; }
  bool ever_heard(const address& who) const { return last_heard_.contains(who); }
  /// Since when nothing was heard; a node never heard of is given time from this SN's own start.
  duration silence_of(const address& who, time_point now) const {
    const auto found = last_heard_.find(who);
    return now - (found == last_heard_.end() ? started_ : found->second);
  }
  bool silent(const address& who, time_point now) const { return silence_of(who, now) > silent_after; }

private:
  time_point started_;
  std::map<address, time_point> last_heard_; ///< registered nodes only, so at most contracts::nodes_max
};

} // namespace swarm::rpc
