#pragma once

#include "actors/swci/mailroom.hpp"
#include "actors/ui/page/page_server.hpp"
#include "config/options.hpp"
#include "ledger/formats/keys.hpp"
#include "transport/http/http_client.hpp"

#include <memory>

namespace swarm::actors {

namespace ui_names {
inline constexpr std::string_view sn = "sn";
inline constexpr std::string_view feed = "feed";
} // namespace ui_names

/// What the actors of a page share. It outlives them.
struct ui_context {
  config::ui_options options;
  std::string log_source = "swarm.UI";
  std::shared_ptr<transport::io_runtime> io;
  std::shared_ptr<const transport::tls_identity> identity;
  std::shared_ptr<const ledger::private_key> key;
  std::shared_ptr<transport::http_client> asker; ///< of other nodes' servers, for small answers
  std::shared_ptr<ui::page_server> page;
  /// Of all lives of the feed's actor, so that no late answer is taken for another one.
  std::shared_ptr<mailroom> mail = std::make_shared<mailroom>();
};

} // namespace swarm::actors
