#pragma once

#include "actors/sn_client/session/json_rpc.hpp"
#include "base/log_level.hpp"
#include "base/result.hpp"

#include <variant>

/// What goes into a session machine, and what it asks its shell to do.
namespace swarm::session {

namespace event {
/// Which certificate an SN has presented.
struct presented {
  hash32 identity;     ///< of the certificate
  hash32 anchor;       ///< of its chain
  std::string subject; ///< for people
};
/// The connection that `action::connect` asked for is there.
struct link_up {
  std::uint64_t serial = 0;
  presented by{};
};
/// It is not, or no longer.
struct link_down {
  std::uint64_t serial = 0;
  std::string reason;
};
/// One message of the SN.
struct received {
  std::uint64_t serial = 0;
  std::string_view text;
};
/// Follow this contract, in place of the one before: it is read now, and again whenever it has moved, with
/// the calls `reads`, in one batch.
struct follow {
  std::string name;
  address contract;           ///< zero: the chain itself, which moves with every block
  std::vector<hash32> topics; ///< any of them says that it has moved
  std::vector<rpc_call> reads;
};
/// Read it now.
struct read {};
/// Sign and send a call of a contract; `action::call_done` says how it ended.
struct submit {
  std::uint64_t id = 0;
  address to;
  bytes input;
  std::string what; ///< for the log
};
/// Read something once, in one batch; `action::answered` says what came of it.
struct ask {
  std::uint64_t id = 0;
  std::vector<rpc_call> calls; ///< not empty
  std::string asker{};         ///< the sibling that gets the answer; empty: the client's user
};
/// The certificate that this node presents from now on; nothing happens when it is the same as before. One of the same
/// identity that ends later is registered when it is time (`is_renewal_due`).
struct renewed {
  hash32 identity;
  hash32 anchor;            ///< of its chain
  std::uint64_t expiry = 0; ///< seconds since 1970
};
/// Time has passed; to be sent at `wake_at`, more often does no harm.
struct tick {
  std::uint64_t unix_ms = 0;
};
} // namespace event

namespace action {
struct connect {
  std::uint64_t serial = 0;
  std::string endpoint;
};
/// Its news is of no interest any more.
struct disconnect {
  std::uint64_t serial = 0;
};
struct send {
  std::uint64_t serial = 0;
  std::string text;
};
/// An error: it has no receipt, and may or may not take effect yet.
struct call_done {
  std::uint64_t id = 0;
  result<call_receipt> outcome;
};
struct contract_read {
  std::string name;
  std::uint64_t block_num = 0;               ///< that it was read at, or before
  std::vector<boost::json::value> responses; ///< to `follow::reads`
};
/// The responses to `ask::calls`, objects, one for each; or why no SN answered in time.
struct answered {
  std::uint64_t id = 0;
  result<std::vector<boost::json::value>> responses;
  std::string asker{}; ///< of `ask`
};
/// For the node's next life.
struct keep_sns {
  std::vector<std::string> endpoints;
};
/// The genesis block that an SN has shown to a node that knew none: for its next life.
struct keep_genesis {
  hash32 hash;
};
struct note {
  log::level level = log::level::info; ///< error: something is wrong that does not end the session
  std::string text;
};
} // namespace action
using session_action =
    std::variant<action::connect, action::disconnect, action::send, action::call_done, action::contract_read,
                 action::answered, action::keep_sns, action::keep_genesis, action::note>;

} // namespace swarm::session
