#pragma once

#include "actors/sl/rounds/actions.hpp"
#include "base/clock.hpp"

#include <map>
#include <optional>

namespace swarm::rounds {

/// The calls of the training contract that this node has under way. There are two sorts: the step call, on
/// which the next step depends and which is made anew from a fresh view when it fails; and sure calls, whose
/// loss would keep others waiting, so they are sent again until there is a receipt.
class calls {
public:
  enum class kind {
    register_peer,
    check_in,
    reveal,
    close_reveals,
    vote_close,
    commit,
    commit_shard,
    measure_shard,
    reveal_seed,
    attest,
    challenge,
    judge,
    close_checks,
    suspect,
    accuse,
    answer
  };
  /// What a step call was about when it was sent.
  struct step_call {
    std::uint64_t id = 0;
    kind what = kind::register_peer;
    std::uint64_t generation = 0;
    std::uint64_t round_num = 0;
    std::uint32_t term = 0;
  };

  /// Sends `what`, which gets its id here, as `about` does. No other step call may be under way.
  action::call send_step(step_call about, action::call what);
  action::call send_report(action::call what);
  /// What else tells the peers that this node does not take part counts as a leave, too.
  action::call send_leave(action::call what);

  /// Whether no step may be asked for: one is under way, or this node is leaving, or must pause
  /// after failures.
  bool hold_up(time_point now) const { return step_ || leave_ || now < step_again_; }
  bool is_registering() const { return step_ && step_->what == kind::register_peer; }
  bool is_leaving() const { return leave_.has_value(); }
  /// The contract that this node is leaving; it must be.
  const std::string& leaves() const { return sure_.at(*leave_).call.contract; }
  bool is_reporting() const { return report_.has_value(); }

  /// The step call with this id was answered. Returns none for a call of a former session.
  std::optional<step_call> take_step(std::uint64_t id);
  void step_succeeded() { failures_ = 0; }
  void step_failed(bool has_receipt, time_point now);

  bool is_sure(std::uint64_t id) const { return sure_.contains(id); }
  /// The purpose of a sure call that is under way.
  const std::string& text_of(std::uint64_t id) const { return sure_.at(id).call.what; }
  void sure_call_lost(std::uint64_t id, time_point now);
  /// The sure call has its receipt. Returns true if it was the leave.
  bool sure_call_done(std::uint64_t id);
  /// The sure calls that were lost and are to be sent once more.
  std::vector<action::call> due(time_point now);

  /// Drops the calls of the session; only a leave outlives it.
  void end_session();

private:
  struct sure_call {
    action::call call;
    std::optional<time_point> again;
  };
  action::call send_surely(action::call what);

  std::uint64_t next_id_ = 1;
  std::optional<step_call> step_;
  time_point step_again_{};
  int failures_ = 0; ///< of step calls, in a row
  std::map<std::uint64_t, sure_call> sure_;
  std::optional<std::uint64_t> leave_;
  std::optional<std::uint64_t> report_; ///< the newest
};

} // namespace swarm::rounds
