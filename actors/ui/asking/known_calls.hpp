#pragma once

#include "actors/swci/commands/network.hpp"

#include <map>
#include <string>

/// What calls and events of the network's contracts are called, for people.
namespace swarm::ui {

/// "training cifar", "node registry": the contracts of a network by their addresses.
result<std::map<address, std::string>> contract_names(swci::network& sns);

/// The function that this input calls, such as "checkIn", of whichever contract; empty: not known.
std::string_view call_name(bytes_view input);

struct event_words {
  std::string_view kind; ///< such as "CheckedIn"; empty: not known
  std::string text;      ///< of a training's event; empty: none
};
event_words words_of_event(const std::vector<hash32>& topics, bytes_view data);

} // namespace swarm::ui
