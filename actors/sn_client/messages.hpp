#pragma once

#include "actors/sn_client/session/json_rpc.hpp"
#include "base/clock.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <memory>
#include <string>

/// Messages of the client of an SN, `/sl/sn`, and of whoever uses it: the sibling that its options name, "the
/// user" below.
namespace swarm::actors {

/// From the user: follow this contract in place of the one before. It is read now, and again whenever it has
/// moved; each time the user gets `contract_read`.
struct follow_contract {
  std::string name;
  address contract;
  std::vector<hash32> topics;           ///< events that say that it has moved
  std::vector<session::rpc_call> reads; ///< asked in one batch
};
/// From the user: read it now.
struct read_contract {};
/// To the user: what the SN says to `follow_contract::reads`, in their order.
struct contract_read {
  std::string name;
  std::uint64_t block_num = 0; ///< of the newest block then
  std::shared_ptr<const std::vector<boost::json::value>> responses;
};
/// From the user: sign and send a call of a contract. Goes on through reconnects; answered once with
/// `call_done`.
struct submit_call {
  std::uint64_t id = 0;
  address to;
  bytes input;
  std::string what; ///< for the log
};
/// To the user.
struct call_done {
  std::uint64_t id = 0;
  bool ok = false;
  std::uint64_t block_num = 0; ///< of the receipt; 0 when there is none
  std::string text;            ///< why not, for people
};

/// To the user, when it has changed.
struct sn_standing {
  std::string trouble; ///< in words; empty: an SN answers, and this node is registered
};

/// From the connection to `/sl/sn`: up, down, one message. `serial` tells an old connection's news from the
/// present one's.
struct link_up {
  std::uint64_t serial = 0;
};
struct link_down {
  std::uint64_t serial = 0;
  std::string reason;
};
struct link_message {
  std::uint64_t serial = 0;
  bytes text;
  std::shared_ptr<void> credit; ///< see transport::ws_message: the SN waits while too many are held
};
/// From `/sl/sn` to itself.
struct wake_up {
  time_point due;
};

} // namespace swarm::actors

#define SWARM_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::name)
SWARM_MESSAGE(follow_contract)
SWARM_MESSAGE(read_contract)
SWARM_MESSAGE(contract_read)
SWARM_MESSAGE(submit_call)
SWARM_MESSAGE(call_done)
SWARM_MESSAGE(sn_standing)
SWARM_MESSAGE(link_up)
SWARM_MESSAGE(link_down)
SWARM_MESSAGE(link_message)
SWARM_MESSAGE(wake_up)
#undef SWARM_MESSAGE
