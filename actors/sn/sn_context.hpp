#pragma once

#include "config/options.hpp"
#include "ledger/formats/keys.hpp"
#include "transport/io_runtime.hpp"
#include "transport/tls_identity.hpp"

#include <memory>

namespace swarm::actors {

/// What the actors of one SN share; immutable.
struct sn_context {
  config::sn_options options;
  std::string log_source = "swarm.blCnt";
  std::shared_ptr<const transport::tls_identity> identity;
  std::shared_ptr<transport::io_runtime> io;
  std::shared_ptr<const ledger::private_key> key;
};

} // namespace swarm::actors
