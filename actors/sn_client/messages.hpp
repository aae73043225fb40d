#pragma once

#include "actors/sn_client/session/events.hpp"
#include "base/clock.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <memory>

/// What is said to the client of an SN, `/sl/sn`, and by it. Events and actions of its machine travel as they
/// are (session/events.hpp):
/// - From the sibling that its options name as its user: session::event::follow -> action::contract_read, now
///   and whenever the contract has moved; event::read -> the same once more; event::submit ->
///   action::call_done and event::ask -> action::answered, once, through whatever reconnects it takes.
///   Another sibling may ask, too, when it names itself in the question.
/// - From its connection: session::event::link_up and link_down.
namespace swarm::actors {

/// To the user, when it has changed.
struct sn_standing {
  std::string trouble; ///< in words; empty: an SN answers, and this node is registered
  std::string sn;      ///< host:port of the one that is asked
};

/// From the connection: one message of the SN. `serial` tells an old connection's news from the present
/// one's.
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

#define SWARM_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::name)
SWARM_MESSAGE(actors::sn_standing)
SWARM_MESSAGE(actors::link_message)
SWARM_MESSAGE(actors::wake_up)
SWARM_MESSAGE(session::event::link_up)
SWARM_MESSAGE(session::event::link_down)
SWARM_MESSAGE(session::event::follow)
SWARM_MESSAGE(session::event::read)
SWARM_MESSAGE(session::event::submit)
SWARM_MESSAGE(session::event::ask)
SWARM_MESSAGE(session::action::contract_read)
SWARM_MESSAGE(session::action::call_done)
SWARM_MESSAGE(session::action::answered)
#undef SWARM_MESSAGE
