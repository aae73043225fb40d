#pragma once

#include "actors/swop/task/pair_life.hpp"

#include <map>

namespace swarm::swop {

/// Which part of which run: what a SWOP was told to do once. It is started over under another attempt.
struct part_id {
  std::uint64_t run = 0;
  std::uint64_t assigned_block = 0; ///< of the run: numbers of runs begin anew on a new chain
  std::uint32_t attempt = 0;
  auto operator<=>(const part_id&) const = default;
};

/// One task on this host, from its preparation to the end of all that it started, without I/O, clock or threads. It
/// acts on what is there: programs that a killed SWOP left running are facts like those that it started itself, and
/// the contract is told only what it does not have yet.
class task_machine {
public:
  /// How often progress is told; what matters (a status, a failure) is told at once.
  static constexpr duration report_interval = std::chrono::seconds(2);
  /// A report that the contract does not have afterwards is repeated at longer and longer intervals, up to this one.
  static constexpr duration report_interval_max = std::chrono::seconds(64);
  /// After this a report under way counts as lost.
  static constexpr duration report_max = std::chrono::seconds(30);
  /// The contract is read again when a reading does not come.
  static constexpr duration read_max = std::chrono::seconds(5);

  struct options {
    contracts::task_type type = contracts::task_type::run_swarm;
    std::uint32_t pairs = 0; ///< of a RUN_SWARM
  };
  explicit task_machine(options from);

  /// To be called once, after `programs_seen` has told what is there already.
  void begin(time_point now);
  void step(const event::prepared& news, time_point now);
  void step(const event::programs_seen& news, time_point now);
  void step(const event::start_failed& news, time_point now);
  void step(const event::session_seen& news, time_point now);
  void step(const event::work_going& news, time_point now);
  void step(const event::work_ended& news, time_point now);
  void step(const event::contract_seen& news, time_point now);
  void step(const event::report_done&, time_point now);
  void step(const event::stop& why, time_point now);
  void step(const event::tick&, time_point now);
  /// What is to be done, in this order.
  std::vector<task_action> take_actions() { return std::exchange(actions_, {}); }
  time_point wake_at() const;

  /// Everything of this part has ended.
  bool over() const;
  /// `action::finished` is out.
  bool finished() const { return std::holds_alternative<done>(phase_); }

private:
  /// Before anything was started.
  struct preparing {};
  struct running {};
  /// It is told to end, and everything of it ends.
  struct stopping {
    bool tell = false; ///< the contract has to know before the end
  };
  struct done {};
  using phase = std::variant<preparing, running, stopping, done>;

  bool runs_swarm() const { return options_.type == contracts::task_type::run_swarm; }
  bool pairs_go_on() const;
  bool all_ended() const;
  bool told() const;
  void go_on(time_point now);
  void fail_all(failure why);
  void tell(time_point now);
  void tell_next(time_point now);
  void look_after_report(time_point now);
  bool tell_one(action::report wanted, const action::report& known, time_point now);
  bool tell_pairs(time_point now);
  /// Of a RUN_SWARM only while it is prepared: then its pairs say how they are.
  action::report own_report() const;

  options options_;
  phase phase_ = preparing{};
  std::vector<pair_life> pairs_;
  // Of the work, when it is no RUN_SWARM.
  bool working_ = false;
  task_step step_ = task_step::enrolled;
  std::uint64_t number_ = 0;
  std::optional<failure> outcome_; ///< of the work, or of the preparation
  /// None: it was changed, and is being read again.
  std::optional<event::contract_seen> contract_;
  bool heard_ = false;                  ///< the contract, at least once
  std::optional<time_point> reporting_; ///< since when
  time_point read_asked_{};
  /// The last report on a pair, or on the part as a whole.
  struct told_report {
    action::report what;
    time_point at{};
    duration wait = report_interval; ///< until it may be repeated
    std::uint32_t times = 0;
  };
  std::map<std::optional<std::uint32_t>, told_report> told_;
  time_point progress_told_ = time_point::min();
  std::optional<time_point> tell_at_; ///< progress that the contract does not have yet
  std::vector<task_action> actions_;
};

} // namespace swarm::swop
