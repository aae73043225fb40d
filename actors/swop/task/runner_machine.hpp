#pragma once

#include "actors/swop/task/task_machine.hpp"

namespace swarm::swop {

namespace event {
/// What the taskrunner has, for this SWOP.
struct taskrunner_read {
  contracts::taskrunner_head_for_view view;
  std::vector<contracts::pair_view> pairs; ///< of this SWOP's part
  std::uint64_t block_num = 0;             ///< that it was read at, or before
};
/// A part that is there: begun by a former life of this SWOP's runner, or restarted.
struct part_here {
  part_id part;
};
/// The call under way has its receipt, or will have none.
struct call_done {
  bool ok = false;
  std::uint64_t block_num = 0; ///< that it was executed in
};
/// `action::end_part` is done, or the part could not be begun.
struct part_gone {
  part_id part;
};
/// What the last `action::clean_up` asked for is done: of no other part a program runs.
struct cleaned {};
/// This SWOP ends, and listens no longer.
struct leave {};
} // namespace event

namespace action {
struct listen {
  std::uint32_t slots = 0;
  bool operator==(const listen&) const = default;
};
struct unlisten {
  bool operator==(const unlisten&) const = default;
};
struct enrol {
  std::uint64_t run = 0;
  std::string task;
  bool operator==(const enrol&) const = default;
};
struct begin_part {
  part_id part;
  std::string task;
  std::uint32_t pairs = 0;
  bool operator==(const begin_part&) const = default;
};
/// With a failure the contract is told before the end; `event::part_gone` follows.
struct end_part {
  part_id part;
  failure why;
  bool operator==(const end_part&) const = default;
};
/// For the part under way.
struct tell_part {
  event::contract_seen news;
};
/// End and forget whatever belongs to no part, or to another than this one; `event::cleaned` follows. No part is begun
/// before that: programs of two parts would fight for ports and folders.
struct clean_up {
  std::optional<part_id> keep;
  bool operator==(const clean_up&) const = default;
};
/// `event::leave` is done.
struct left {
  bool operator==(const left&) const = default;
};
} // namespace action
using runner_action =
    std::variant<action::listen, action::unlisten, action::enrol, action::begin_part, action::end_part,
                 action::tell_part, action::clean_up, action::read, action::left>;

/// What a SWOP does on its taskrunner: it listens, takes part in runs that need it, has one part at a time under way,
/// and ends it when the run is over. Without I/O, clock or threads; it acts on what the contract says now.
class runner_machine {
public:
  /// After a call that failed; longer each time, until something has changed.
  static constexpr duration retry_wait = std::chrono::seconds(2);
  static constexpr duration retry_wait_max = std::chrono::seconds(64);
  /// An SN that lags behind is not believed; when there are only such ones for so long, the chain is another one.
  static constexpr duration stale_max = std::chrono::seconds(60);

  explicit runner_machine(std::uint32_t slots) : slots_(slots) {}

  void step(const event::taskrunner_read& news, time_point now);
  void step(const event::part_here& news, time_point now);
  void step(const event::call_done& news, time_point now);
  void step(const event::part_gone& news, time_point now);
  void step(const event::cleaned&, time_point now);
  void step(const event::leave&, time_point now);
  void step(const event::tick&, time_point now);
  std::vector<runner_action> take_actions() { return std::exchange(actions_, {}); }
  time_point wake_at() const { return std::min({call_pause_.until, begin_pause_.until, read_again_at_}); }

  /// For people.
  std::string status() const;
  std::optional<part_id> part() const;

private:
  struct current {
    part_id id;
    std::optional<failure> ending;
  };
  /// Before something that failed is tried again.
  struct pause {
    duration wait = retry_wait;
    time_point until = time_point::max(); ///< max: nothing is waited for
    bool is_on() const { return until != time_point::max(); }
    void begin(time_point now) {
      until = now + wait;
      wait = std::min(wait * 2, retry_wait_max);
    }
    /// True: it is over now.
    bool ends(time_point now) { return now >= until && (until = time_point::max(), true); }
  };
  void go_on();
  bool is_news(const event::taskrunner_read& news) const;
  void keep(std::optional<part_id> part);
  void leave_now();
  void see_to_part();
  bool is_wanted() const;
  part_id told_part() const;
  void end(failure why);
  void call(runner_action what);

  std::uint32_t slots_;
  std::optional<event::taskrunner_read> read_;
  std::optional<current> part_;
  std::uint64_t block_num_ = 0; ///< the newest that something is known of
  time_point read_at_{};
  time_point read_again_at_ = time_point::max(); ///< max: `read_` is not known to be old
  bool calling_ = false;
  bool may_listen_ = false; ///< the call to listen was made
  bool leaving_ = false;
  bool unlistening_ = false;
  bool left_ = false;
  std::optional<std::optional<part_id>> kept_; ///< by the last clean-up
  bool cleaning_ = false;
  pause call_pause_, begin_pause_;
  std::vector<runner_action> actions_;
};

} // namespace swarm::swop
