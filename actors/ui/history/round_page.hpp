#pragma once

#include "actors/ui/history/training_history.hpp"
#include "actors/ui/views/event_json.hpp"

#include <boost/json.hpp>

namespace swarm::ui {

/// Rounds of one run that are shown at a time, and the blocks in which their events are.
struct round_page {
  std::map<std::uint64_t, const training_history::round*> rounds;
  std::uint64_t first_block = 0;
  std::uint64_t last_block = 0;
  bool has_more = false; ///< there are rounds before these
};
/// The newest `count` rounds below `before`. `last_block` is that of the run: what is still going on, to the head.
round_page page_of(const training_history::generation& in, std::optional<std::uint64_t> before,
                   std::uint64_t count, std::uint64_t last_block);

struct shown_round {
  std::uint64_t round_num = 0;
  std::vector<boost::json::object> events; ///< in the order of the chain
  boost::json::object merge;               ///< empty: there is none yet
};
/// Newest first. What belongs to no round stands in the one that it came in. At most `events_max` events in all, of the newest
/// rounds.
std::vector<shown_round> rounds_of(const round_page& page, std::uint64_t generation,
                                   const std::vector<logged_event>& events, std::size_t events_max);

} // namespace swarm::ui
