#pragma once

#include "actors/supervision/role_actor.hpp"
#include "actors/swci/console.hpp"
#include "config/options.hpp"
#include "transport/http/http_client.hpp"

namespace swarm::actors {

/// The names of a SWCI's actors below its supervisor.
namespace swci_names {
inline constexpr std::string_view session = "session", sn_prefix = "sn-";
} // namespace swci_names

/// What a SWCI's session is made of.
struct swci_context {
  config::swci_options options;
  std::string log_source = "swarm.swci";
  std::shared_ptr<transport::io_runtime> io;
  std::shared_ptr<const transport::tls_identity> identity;
  std::shared_ptr<transport::http_client> client;
  std::shared_ptr<transport::http_client> asker; ///< for small answers
  std::shared_ptr<swci::console> console;
};

/// `/swci/session`: one operator's session, the shell of language/session. Commands run on a thread of their
/// own, one at a time, and talk to the SN clients of their contexts, `/swci/sn-NAME`, which this actor
/// starts. The session outlives the actor: one that is started again goes on with it. The role ends with the
/// session.
start_function session_actor(std::shared_ptr<const swci_context> context);

} // namespace swarm::actors
