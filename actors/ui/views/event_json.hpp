#pragma once

#include "contracts/training/interface.hpp"

#include <boost/json.hpp>

#include <optional>

namespace swarm::ui {

/// Where an event stands on the chain.
struct event_place {
  std::uint64_t block_num = 0;
  std::string txn; ///< its hash
};

struct logged_event {
  contracts::training_event what;
  event_place at;
};

/// `RoundEvent`, without its time.
boost::json::object event_json(const contracts::training_event& from, const event_place& at);

/// Of which round it is; none: of none.
std::optional<std::uint64_t> round_of(const contracts::training_event& from);
std::optional<std::uint64_t> generation_of(const contracts::training_event& from);

} // namespace swarm::ui
