#pragma once

#include "actors/swci/console.hpp"
#include "actors/swci/language/session/user_folder.hpp"
#include "base/clock.hpp"
#include "config/members/member_rules.hpp"
#include "transport/io_runtime.hpp"
#include "transport/tls/tls_identity.hpp"

#include <memory>

namespace swarm::swci {

struct web_options {
  std::string address = "0.0.0.0";
  std::uint16_t port = 30306;
  bool plain_for_all = false;                           ///< other hosts need no certificate either
  std::shared_ptr<const members::member_rules> members; ///< what certificates mean; null: the default
  std::string log_source = "swarm.swci";
  /// A client that waits longer has most likely given up, and its command must not be run behind its back.
  duration waiting_max = std::chrono::minutes(5);
  user_folder folder;
};

/// A console whose lines come over HTTP and HTTPS on one port (requests.hpp says which there are). All requests share the
/// session, one after the other: what comes while a command is under way waits, up to a limit. With TLS a certificate
/// for SWCI of its own organisation is needed; without TLS only this host is served, unless the options say otherwise.
/// Fails when it cannot listen.
result<std::shared_ptr<console>> start_web_console(transport::io_runtime& io,
                                                   std::shared_ptr<const transport::tls_identity> identity,
                                                   web_options options);

} // namespace swarm::swci
