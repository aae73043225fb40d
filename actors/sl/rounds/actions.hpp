#pragma once

#include "actors/sl/rounds/types.hpp"

#include <optional>
#include <set>
#include <variant>

/// What a peer machine asks its shell to do, in the order in which it is to be done. Every model that an
/// action names by its digest is in this node's store before the action is taken, unless the action is
/// to fetch it.
namespace swarm::rounds {

namespace action {

/// Sign `input` and send it to the training contract of this name; hand in `event::call_done` with this id
/// once there is a receipt, or there can be none any more. Calls must reach the chain in the order in which
/// they are asked for. A call with an id that came before is the same call, to be sent once more.
struct call {
  std::uint64_t id = 0;
  std::string contract;
  bytes input;
  std::string what; ///< for the log
};
/// Have this model of the store on the disk, so that a power cut cannot take it; hand in
/// `event::model_durable`. No call names a model before that.
struct make_durable {
  hash32 digest;
};
/// Note on the disk, before anything that comes after this is done, that a process which ends now leaves a
/// peer of this training behind, see `event::former_session`; or take the note away.
struct note_session {
  std::optional<std::string> contract;
};
/// Read the contract, from now on or later, and hand in `event::view_read`. Several that wait may be
/// served by one.
struct refresh {};
/// Tell the program that its session is open.
struct answer_open {
  std::uint64_t merged_round = 0; ///< the last one that is merged, 0: none is
  std::string node{};    ///< its name among the peers; empty: it is none, as in a training that is over
  std::string network{}; ///< which one this is, in short; added by the shell, empty where it does not know
};
/// Hand the merged model to the program; hand in `event::program_loss`.
struct ask_loss {
  hash32 digest;
  std::uint64_t generation = 0;
  std::uint64_t round_num = 0;
  bool ahead = false;     ///< it may have to be taken back
  bool goes_back = false; ///< the program first goes back to what it had before the last one that was ahead
};
/// Tell the program to go on with the model that it was given last.
struct answer_sync {
  std::uint32_t next_interval = 1; ///< batches, >= 1
  bool training_over = false;
  std::string notice;             ///< for the program's user; may be empty
  std::uint64_t merged_round = 0; ///< of that model
  std::optional<mean_report> means{};
};
/// Tell the program that it has the final model and may end.
struct answer_close {
  std::string notice;
  std::optional<mean_report> means{};
};
/// Answer whatever the program waits for with an error status; its session is over.
struct refuse {
  std::string text;
};
/// The same, because the program's model has other parameters than those of its peers. `other` is one of
/// their models, of the layout `layout`: fetch its layout from any of `holders` and say in what they differ.
struct refuse_layout {
  hash32 own;
  hash32 other;
  std::uint64_t other_size = 0;
  hash32 layout;
  std::vector<holder> holders;
  std::uint64_t resumes_from =
      0; ///< the other one is the merge of this round, from which the program was to go on
};
/// Fetch a merged or proposed model from any of `holders` into the store, the first of them has it before the others;
/// hand in `event::model_fetched`.
struct fetch {
  hash32 digest;
  std::uint64_t size = 0;
  std::vector<holder> holders;
  std::vector<shard_run>
      shards{}; ///< its makers have its parts, and nobody all of it before they have given them to each other
  std::vector<std::uint64_t> made_here{}; ///< chunks that this node is about to make again, to check them
};
/// Lead this term: fetch the inputs, verify, merge, store; hand in `event::merge_done`. Or do the same beside its leader, so
/// as to know what it has to propose. It is never asked for while another merge is under way.
struct start_merge {
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  std::string method;
  std::vector<merge_input> inputs;
  std::vector<left_out> refused{}; ///< contributors whose models are not even fetched
  bool leads = true;
};
/// Stop the merge under way, as nobody needs it any more. No event answers this.
struct cancel_merge {};
/// Make parts of a proposed merge again; hand in `event::check_done`. It ends a check that is under way.
struct start_check {
  check_task task;
};
/// Stop the check under way, as nobody needs it any more. No event answers this.
struct cancel_check {};
/// Ask the leader's SL how far it is; hand in `event::leader_progress` if it answers, and
/// `event::leader_unheard` if nobody listens there.
struct probe_leader {
  address leader;
  std::string endpoint;
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
};
/// Delete all other models from the store, now or later.
struct keep_models {
  std::set<hash32> digests;
};
/// The session is over and nobody needs this node for it any more: end the node's role if `node_ends`, else
/// wait for the next program.
struct session_ended {
  bool node_ends = false;
  std::string text; ///< how it ended, for the log
};
/// Log this.
struct note {
  bool warning = false;
  std::string text;
};

} // namespace action

using machine_action =
    std::variant<action::call, action::make_durable, action::note_session, action::refresh,
                 action::answer_open, action::ask_loss, action::answer_sync, action::answer_close,
                 action::refuse, action::refuse_layout, action::fetch, action::start_merge,
                 action::cancel_merge, action::start_check, action::cancel_check, action::probe_leader,
                 action::keep_models, action::session_ended, action::note>;

} // namespace swarm::rounds
