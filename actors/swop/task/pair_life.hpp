#pragma once

#include "actors/swop/task/events.hpp"
#include "base/clock.hpp"

namespace swarm::swop {

/// An SL and the ML that trains with it, from the start of the one to the end of both. The SL comes first; it ends by
/// itself when the training is over and nobody needs it any more, be that before its ML ends or after. When ML has
/// ended without a training, or one of the two fails, the other one is ended.
class pair_life {
public:
  /// An SL that says nothing for so long after the end of its ML is ended.
  static constexpr duration silent_max = std::chrono::seconds(30);
  static constexpr duration look_interval = std::chrono::seconds(1);
  /// A program that still runs so long after it was told to end is told once more.
  static constexpr duration end_again = std::chrono::seconds(10);

  explicit pair_life(std::uint32_t index) : index_(index) {}

  void take(const program_fact& fact, time_point now);
  /// The shell listed this part's programs, and this one was not among them.
  void take_none(program_kind kind);
  void take(const event::start_failed& news);
  void take(const event::session_seen& news, time_point now);
  void fail(failure why);

  /// What is to be done next.
  void go_on(std::vector<task_action>& to, time_point now);

  bool ended() const { return ended_; }
  bool failed() const { return verdict_ && verdict_->code != task_failure::none; }
  time_point wake_at() const;
  /// What the contract is to know.
  action::report report() const;

private:
  struct member {
    bool asked = false; ///< to start; from then on it is there, has ended, or could not be started
    std::optional<time_point> told_to_end;
    bool runs = false;
    bool ended = false;
    std::uint64_t ended_ms = 0;
    failure why;
  };
  member& of(program_kind kind) { return kind == program_kind::sl ? sl_ : ml_; }
  void judge(time_point now);
  task_step step() const;

  std::uint32_t index_;
  member sl_, ml_;
  std::optional<failure> verdict_; ///< how it is going to end
  bool ended_ = false;
  session_state session_ = session_state::unknown;
  time_point heard_{};                               ///< when the SL last said where it stands, or ML ended
  std::optional<time_point> look_at_ = time_point{}; ///< none: an answer is awaited
  address account_;
  task_step told_step_ = task_step::waiting_for_session;
  std::uint64_t told_number_ = 0;
};

} // namespace swarm::swop
