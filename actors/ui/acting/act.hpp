#pragma once

#include "actors/swci/commands/network.hpp"
#include "actors/ui/feed/requests.hpp"

#include <boost/json.hpp>

#include <filesystem>
#include <stop_token>

namespace swarm::ui {

/// What carrying out an order takes.
struct acting {
  swci::network& sns;
  std::filesystem::path folder; ///< of this node, where files of an order lie for a moment
  std::string log_source;
  std::stop_token stop;
};

/// Carries out an operator's order, as SWCI's command does, and waits until that is final. A refusal has the contract's
/// words. `by` is who orders it, for the log.
result<boost::json::value> act(const any_order& what, const std::string& by, const acting& with);

} // namespace swarm::ui
