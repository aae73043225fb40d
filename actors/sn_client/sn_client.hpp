#pragma once

#include "actors/sn_client/messages.hpp"
#include "actors/supervision/role_actor.hpp"
#include "contracts/registry/client.hpp"
#include "ledger/formats/keys.hpp"
#include "transport/io_runtime.hpp"
#include "transport/tls/tls_identity.hpp"

#include <filesystem>
#include <optional>

namespace swarm::actors {

struct sn_client_options {
  std::string sn;                      ///< host:port of the configured SN
  std::filesystem::path known_sns;     ///< where other SNs are kept; empty for nowhere
  std::optional<hash32> genesis_hash;  ///< of this node's network
  std::filesystem::path known_genesis; ///< where that is kept when it is not given; empty: nowhere
  bool trusting = false;               ///< believes what its SN says: tests, with an SN that cannot prove
  std::string log_source;
  std::string node_name; ///< for people
  std::shared_ptr<transport::io_runtime> io;
  std::shared_ptr<const transport::tls_identity> identity;
  std::shared_ptr<const ledger::private_key> key;
  /// What this node registers as, with its certificate; none for one that only reads.
  std::optional<contracts::register_node_args> registration;
  std::string user; ///< the sibling that gets what was read and how calls ended
};

/// Start function of /sl/sn and its like: a node's client of the network's SNs, the shell of
/// session/session_machine.hpp. One WebSocket carries JSON-RPC both ways. Tries for ever to reach an SN, and
/// says so while it cannot.
start_function sn_client_actor(std::shared_ptr<const sn_client_options> options);

} // namespace swarm::actors
