#pragma once

#include "actors/sn/membership/member_book.hpp"
#include "config/members/member_rules.hpp"
#include "config/options.hpp"
#include "ledger/formats/keys.hpp"
#include "transport/http/http.hpp"
#include "transport/io_runtime.hpp"
#include "transport/tls/tls_identity.hpp"

#include <memory>

namespace swarm::actors {

/// What the actors of one SN share; immutable, but for what the book has read.
struct sn_context {
  config::sn_options options;
  std::string log_source = "swarm.blCnt";
  std::shared_ptr<const transport::tls_identity> identity;
  std::shared_ptr<const members::member_rules> members; ///< what certificates mean
  /// Who belongs to its chain; it is about none until /sn/rpc has been shown one.
  std::shared_ptr<membership::member_book> book = std::make_shared<membership::member_book>();
  std::shared_ptr<transport::io_runtime> io;
  std::shared_ptr<const ledger::private_key> key;

  /// The host:port at which other SNs reach this one.
  std::string p2p_endpoint() const {
    return options.sn_p2p_service.value_or(endpoint{options.host_ip, options.sn_p2p_port}).to_string();
  }
  /// The host:port of this SN's JSON-RPC server.
  std::string api_endpoint() const {
    return options.sn_api_service.value_or(endpoint{options.host_ip, options.sn_api_port}).to_string();
  }
};

} // namespace swarm::actors
