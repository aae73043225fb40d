#pragma once

#include "actors/sn_client/messages.hpp"
#include "actors/ui/page/page_server.hpp"
#include "actors/ui/reading/chain_reader.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

/// What is said to `/ui/feed`. From `/ui/sn`: sn_standing, and session::action::contract_read for every new block;
/// answered and call_done go on to whichever thread waits for them.
namespace swarm::actors {

/// From the page's server.
struct browser_message {
  ui::browser_news news;
};
/// From the thread that reads.
struct topics_read {
  std::vector<ui::topic_read> topics;
  std::uint64_t read_ms = 0; ///< since 1970
};
/// From the thread that answers questions, or carries out orders.
struct browser_answer {
  ui::browser_id to = 0;
  std::uint64_t id = 0;
  result<ui::shared_text> what;
};
/// From itself, now and then.
struct feed_tick {};

} // namespace swarm::actors

#define SWARM_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::name)
SWARM_MESSAGE(actors::browser_message)
SWARM_MESSAGE(actors::topics_read)
SWARM_MESSAGE(actors::browser_answer)
SWARM_MESSAGE(actors::feed_tick)
#undef SWARM_MESSAGE
