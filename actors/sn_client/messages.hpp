#pragma once

#include "actors/sl/rounds/peer_machine.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <memory>
#include <string>

/// Messages of the client of an SN.
namespace swarm::actors {

/// What the contract says now.
struct view_ready {
  std::string contract;
  rounds::contract_view view;
};
struct call_done {
  std::uint64_t id = 0;
  bool ok = false;
  std::uint64_t block_num = 0; ///< of the receipt; 0 when there is none
  std::string text;            ///< why not
};
/// The SN knows no such contract, or this node may not take part; for the program to hear.
struct contract_unavailable {
  std::string contract;
  std::string text;
};

// -- /sl/network: this node's client of its SN

/// Follow this training contract: `view_ready` now and whenever it moved.
struct follow_contract {
  std::string name;
};
/// Read it now.
struct read_contract {};
/// Sign and send a call to the followed contract; the follower gets `call_done`. Goes on through reconnects.
struct submit_call {
  std::uint64_t id = 0;
  bytes input;
  std::string what;
};
/// From the connection: up, down, one message. `serial` tells an old connection's news from
/// the present one's.
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
struct heartbeat_due {};
/// The SN could not take this transaction; it may by now.
struct resend_due {
  std::uint64_t nonce = 0;
};
struct reconnect_due {};

} // namespace swarm::actors

#define SWARM_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::name)
SWARM_MESSAGE(view_ready)
SWARM_MESSAGE(call_done)
SWARM_MESSAGE(contract_unavailable)
SWARM_MESSAGE(follow_contract)
SWARM_MESSAGE(read_contract)
SWARM_MESSAGE(submit_call)
SWARM_MESSAGE(link_up)
SWARM_MESSAGE(link_down)
SWARM_MESSAGE(link_message)
SWARM_MESSAGE(heartbeat_due)
SWARM_MESSAGE(resend_due)
SWARM_MESSAGE(reconnect_due)
#undef SWARM_MESSAGE
