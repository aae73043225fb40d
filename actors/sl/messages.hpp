#pragma once

#include "actors/sl/rounds/peer_machine.hpp"
#include "actors/sn_client/messages.hpp"
#include "actors/supervision/tick.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <functional>
#include <memory>
#include <string>

/// Every message between the actors of an SL, under the path of the actor that understands it. Every actor
/// also answers `status_request` (supervision/role_actor.hpp).
namespace swarm::actors {

// -- /sl/channel: the FIFOs to the training program; translates between its messages and the follower's

/// Something has come for it, see channel/program_link.hpp. What follows comes by that way, not as messages:
/// it must not be lost while no channel runs.
struct link_news {};
struct answer_open {};
/// Hand the merged model with this digest to the program and ask for its loss; the follower gets
/// `program_loss`.
struct ask_loss {
  hash32 digest;
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
};
struct answer_sync {
  std::uint32_t next_interval = 1; ///< batches, >= 1
  bool training_over = false;
};
struct answer_close {};
/// Answer with an error status; the session is over.
struct refuse_program {
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
struct program_synced {
  rounds::model_ref model;
  std::uint32_t weightage = 1;
};
struct program_closing {
  rounds::model_ref model;
  std::uint32_t weightage = 1;
};
struct program_loss {
  hash32 digest; ///< of the merge
  rounds::loss_report report;
};
/// `orderly`: the program said itself that it ends its session. `text` may be the program's own and quote its data:
/// it stays in this node's log, `why` goes to the contract.
struct program_gone {
  std::string text;
  bool orderly = false;
  contracts::leave_reason why = contracts::leave_reason::program_gone;
};
/// The answer to `program_wanted`.
struct program_resumed {
  std::optional<program_opened> session; ///< none: nobody is to be served
  bool open_answered = false;
  rounds::resumed_session progress; ///< once its open is answered
  std::variant<std::monostate, program_synced, program_closing>
      waits_for{};        ///< its request, if it is not answered
  std::string last_words; ///< not empty: it ended its session itself, with these words
};
/// `layout`, or why the model could not be had.
struct model_fetched {
  hash32 digest;
  result<hash32> layout;
};
struct merge_done {
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  result<rounds::merge_outcome> outcome;
};
struct leader_progress {
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  std::uint64_t progress = 0;
};

// -- /sl/files: model store and file server

/// Get a model from the first of `holders` that has it; answers `reply_to` with `model_fetched`.
struct fetch_model {
  hash32 digest;
  std::uint64_t size = 0;
  std::vector<rounds::holder> holders;
  std::string reply_to; ///< path of an actor
};
/// All other models may go.
struct keep_models {
  std::set<hash32> digests;
};
/// Ask a leader's file server how far its merge is; the follower gets `leader_progress` when it answers.
struct probe_leader {
  std::string endpoint;
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
};

// -- /sl/leader: present only while this node merges. Started with a rounds::action::start_merge, gets
// `model_fetched`, sends `merge_done` to the follower.

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
SWARM_MESSAGE(leader_progress)
SWARM_MESSAGE(fetch_model)
SWARM_MESSAGE(keep_models)
SWARM_MESSAGE(probe_leader)
#undef SWARM_MESSAGE
