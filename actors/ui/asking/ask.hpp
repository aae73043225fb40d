#pragma once

#include "actors/swci/commands/world.hpp"
#include "actors/ui/feed/feed_hub.hpp"
#include "actors/ui/history/history_keeper.hpp"
#include "transport/http/http.hpp"
#include "transport/tls/tls_identity.hpp"

#include <filesystem>

namespace swarm::ui {

/// What answering a question takes.
struct asking {
  swci::network& sns;
  history_keeper& history;    ///< of the thread on which questions are answered
  rights may = rights::reads; ///< of who asks
  std::stop_token stop;
  /// command_world::ask_node
  std::function<result<swci::node_answer>(const endpoint& node, const std::string& target)> ask_node;
  /// The same for a request of whichever kind.
  std::function<result<swci::node_answer>(const endpoint& node, const transport::http_request& what)> request;
  decltype(swci::command_world::fetch) fetch;
  std::filesystem::path models;  ///< where models lie that browsers may fetch (page/model_files.hpp)
  transport::tls_files identity; ///< of this node
};

/// Who answers it, so that no question waits for one that takes longer.
enum class answered_from {
  histories, ///< which one thread keeps
  nodes,     ///< the chain, another node, this process
  models,    ///< which are fetched first
};
answered_from source_of(const any_question& what);
/// Such as "rounds", as feed.ts has it.
std::string_view word_of(const any_question& what);

/// Answers a question of the feed from the chain.
result<boost::json::value> ask(const any_question& what, const asking& with);

} // namespace swarm::ui
