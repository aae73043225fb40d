#pragma once

#include "actors/sl/files/model_server.hpp"
#include "actors/sl/files/wanted_model.hpp"
#include "actors/sl/rounds/peer_machine.hpp"
#include "actors/sn_client/messages.hpp"
#include "actors/supervision/tick.hpp"
#include "transport/http/http_server.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <functional>
#include <memory>
#include <string>

/// Every message between the actors of an SL, under the path of the actor that understands it. Events and
/// actions of the peer machine travel as they are (rounds/events.hpp, rounds/actions.hpp). Every actor also
/// answers `status_request` (supervision/role_actor.hpp).
namespace swarm::actors {

// -- /sl/channel: the FIFOs to the training program; translates between its messages and the follower's

/// Something has come for it, see channel/program_link.hpp. What follows comes by that way, not as messages:
/// it must not be lost while no channel runs.
struct link_news {};
using rounds::action::answer_close;
using rounds::action::answer_open;
using rounds::action::answer_sync;
using rounds::action::ask_loss; // the follower gets `program_loss`
using refuse_program = rounds::action::refuse;
/// Tell the program what is waited for, if it waits and takes notices.
struct tell_program {
  std::string text;
};
/// From a follower that has just started: where does the session with the program stand? It gets
/// `program_resumed`.
struct program_wanted {};

// -- /sl/follower: this node's part in the rounds (rounds/peer_machine.hpp)

struct program_opened {
  std::string contract;
  rounds::session_params params;
  std::string remark; ///< about what the program asked for; for the log, once
};
using rounds::event::program_closing;
using rounds::event::program_synced;
struct program_loss {
  hash32 digest; ///< of the merge
  rounds::loss_report report;
};
using rounds::event::program_gone;
/// The answer to `program_wanted`.
struct program_resumed {
  std::optional<program_opened> session; ///< none: nobody is to be served
  bool open_answered = false;
  rounds::resumed_session progress; ///< once its open is answered
  std::variant<std::monostate, program_synced, program_closing>
      waits_for{};        ///< its request, if it is not answered
  std::string last_words; ///< not empty: it ended its session itself, with these words
};
using rounds::event::check_done;
using rounds::event::leader_progress;
using rounds::event::leader_unheard;
using rounds::event::merge_done;
using rounds::event::model_fetched;

// -- /sl/files: model store and file server

/// Get a model; answers `reply_to` with `model_fetched`.
struct fetch_model {
  wanted_model what;
  std::string reply_to; ///< path of an actor
};
/// Get only the layout of the other model, from the first of its holders that gives it; answers `reply_to`
/// with `layout_fetched`.
struct fetch_layout {
  rounds::action::refuse_layout why;
  std::string reply_to; ///< path of an actor
};
/// To the follower.
struct layout_fetched {
  hash32 digest; ///< of the model
  result<merge::model_layout> layout;
};
/// From the follower, when it takes part in a training.
using gate::event::training_followed;
/// From the follower, when it has read the contract.
using gate::event::merge_seen;
/// From its server's threads: a request for a model, which is answered once the gate lets it in or does not.
struct model_asked {
  model_request what;
  transport::http_request request;
  transport::http_reply reply;
};
/// From `/sl/files` to itself.
struct gate_due {
  time_point at;
};
/// From `/sl/files` to itself: time to look whether who is connected is a member still.
struct readers_due {};
using rounds::action::keep_models;
using rounds::action::probe_leader;

// -- /sl/leader:R.T/merge: present only while this node merges. Started with a rounds::action::start_merge, gets
// `model_fetched`, sends `merge_done` to the follower.
// -- /sl/check:ID/remerge: the same for a node that checks a merge. Started with a rounds::check_task, sends
// `check_done`.

} // namespace swarm::actors

#define SWARM_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::name)
SWARM_MESSAGE(link_news)
SWARM_MESSAGE(program_opened)
SWARM_MESSAGE(program_synced)
SWARM_MESSAGE(program_closing)
SWARM_MESSAGE(program_loss)
SWARM_MESSAGE(program_gone)
SWARM_MESSAGE(program_resumed)
SWARM_MESSAGE(model_fetched)
SWARM_MESSAGE(merge_done)
SWARM_MESSAGE(check_done)
SWARM_MESSAGE(leader_progress)
SWARM_MESSAGE(leader_unheard)
SWARM_MESSAGE(fetch_model)
SWARM_MESSAGE(fetch_layout)
SWARM_MESSAGE(layout_fetched)
SWARM_MESSAGE(training_followed)
SWARM_MESSAGE(merge_seen)
SWARM_MESSAGE(model_asked)
SWARM_MESSAGE(gate_due)
SWARM_MESSAGE(readers_due)
SWARM_MESSAGE(keep_models)
SWARM_MESSAGE(probe_leader)
#undef SWARM_MESSAGE
