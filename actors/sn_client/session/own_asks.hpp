#pragma once

#include "actors/sn_client/session/events.hpp"
#include "base/clock.hpp"

#include <map>

namespace swarm::session {

/// What this node's user wants to know once. A question whose connection broke is asked again on the next
/// one, until its time is over: reading twice does no harm.
class own_asks {
public:
  struct open_ask {
    event::ask call;
    time_point due;
    bool sent = false;
  };

  /// The key that its answer will come with.
  std::uint64_t add(event::ask call, time_point due);
  std::optional<open_ask> take(std::uint64_t key);
  /// Those that are not on their way, the oldest first; they are from now on.
  std::vector<std::pair<std::uint64_t, const event::ask*>> send_all();
  /// The connection is gone, and what was on its way with it.
  void lost();
  /// Those whose time is over.
  std::vector<open_ask> take_due(time_point now);
  std::optional<time_point> next_due() const;
  std::size_t size() const { return asks_.size(); }

private:
  std::map<std::uint64_t, open_ask> asks_; ///< by key, in the order in which they came
  std::uint64_t next_key_ = 1;
};

} // namespace swarm::session
