#pragma once

#include "contracts/registry/interface.hpp"
#include "ledger/formats/transaction.hpp"
#include "transport/ws/websocket.hpp"

#include <boost/json.hpp>

#include <functional>

/// What the load generators have in common. A failure of any kind ends the program with a message, as there
/// is nothing to measure then.
namespace swarm::bench {

[[noreturn]] void die(const std::string& why);

struct credentials {
  std::string cert, key, cacert;
};

/// One kept WebSocket with mutual TLS to an SN on this machine. Any number of requests may be open; answers
/// come on the runtime's thread, in whatever order the SN gives them.
class sn_client {
public:
  using answer = std::function<void(std::string_view)>;

  sn_client(transport::io_runtime& io, const credentials& identity, std::uint16_t port);
  ~sn_client();

  /// Sends a request or a batch. The next text that comes is handed to the oldest `done`, so a client with
  /// several open requests must not depend on which of its answers it is.
  void post(std::string text, answer done);
  /// One call and its result.
  boost::json::value ask(std::string_view method, boost::json::array params);

private:
  struct parts;
  std::shared_ptr<parts> parts_;
};

/// The text of one JSON-RPC call.
std::string call_text(std::string_view method, boost::json::array params);

/// Makes an account, which has sent nothing yet, a member by the client's certificate, which must be an SL's. Gives what
/// it has registered as.
contracts::register_node_args join(sn_client& sn, const credentials& files, const ledger::private_key& key);

/// A registry update of the client's own node, which has registered so: some storage slots and an event, as most
/// transactions have.
ledger::transaction make_update(const ledger::private_key& key, std::uint64_t nonce, std::uint64_t chain_id,
                                contracts::register_node_args own);

std::uint64_t chain_id_of(sn_client& sn);

double percentile(std::vector<double> values, double share);

} // namespace swarm::bench
