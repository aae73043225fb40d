#pragma once

#include "actors/sl/rounds/contract_view.hpp"
#include "base/result.hpp"

#include <memory>

/// What a peer machine is told.
namespace swarm::rounds::event {

// From the program, or about it.

struct program_opened {
  session_params params;
  std::string contract; ///< its name
};
/// Comes right after `program_opened` when the machine was made anew in the middle of a session. The machine
/// reads everything else that it needs from the contract.
struct session_resumed {
  resumed_session from;
};
/// The program waits for the answer to a sync.
struct program_synced {
  model_ref model;
  std::uint32_t weightage = 1;
};
/// The program has ended its training and waits for the final model. With `weightage` 0 its weights
/// must not count.
struct program_closing {
  model_ref model;
  std::uint32_t weightage = 1;
};
/// The answer to `action::ask_loss`.
struct program_loss {
  loss_report report;
};
/// The program has closed its end of the channel, or sent what cannot be served. `orderly` says that it
/// announced the end of its session. `text` may be the program's own words, which stay on this node; the
/// peers are told `why`.
struct program_gone {
  std::string text;
  bool orderly = false;
  contracts::leave_reason why = contracts::leave_reason::program_gone;
};

// About this node.

/// The node is told to stop: it leaves, so that its peers go on at once. See `peer_machine::may_stop`.
struct shutdown {};
/// Before the first program: the process before this one ended within a session (`action::note_session`), and
/// nobody has left for it.
struct former_session {
  std::string contract;
};
struct tick {};

// From the chain, the store and other nodes.

/// The contract was read. Several machines may be given the same view.
struct view_read {
  explicit view_read(contract_view read);
  /// It is indexed already.
  explicit view_read(std::shared_ptr<const contract_view> read) : view(std::move(read)) {}

  std::shared_ptr<const contract_view> view;
};
/// The answer to `action::call`.
struct call_done {
  std::uint64_t id = 0;
  bool ok = false;
  std::uint64_t block_num = 0; ///< of the receipt, 0 when there is none
  std::string text;            ///< revert reason or other failure
};
/// The answer to `action::fetch`: the model's layout, or why it cannot be fetched.
struct model_fetched {
  hash32 digest;
  result<hash32> layout;
};
/// The answer to `action::make_durable`.
struct model_durable {
  hash32 digest;
  result<> outcome;
};
/// The answer to `action::start_merge`.
struct merge_done {
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  result<merge_outcome> outcome;
};
/// The answer to `action::start_check`; an error when this node cannot check anything now.
struct check_done {
  std::uint64_t id = 0; ///< of its task
  result<check_outcome> outcome;
};
/// The answer to `action::probe_leader`. `progress` changes as long as the leader makes progress; nothing
/// else of it matters.
struct leader_progress {
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
  std::uint64_t progress = 0;
};
/// The other answer to it: nobody listens at the leader's address.
struct leader_unheard {
  std::uint64_t round_num = 0;
  std::uint32_t term = 0;
};

} // namespace swarm::rounds::event
