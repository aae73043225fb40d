#pragma once

#include "base/clock.hpp"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::actors {

/// Which of its siblings a failing child takes along. Source: Erlang/OTP Design Principles, "Supervisor
/// Behaviour", Restart Strategy.
enum class strategy {
  one_for_one, ///< only the child itself
  one_for_all, ///< all
  rest_for_one ///< the child and those started after it
};

/// When a child that ended is started again.
enum class restart {
  permanent, ///< always
  transient, ///< after an error, not after a normal end or an ordered shutdown
  temporary  ///< never; it is forgotten as soon as it ends
};

/// A supervisor gives up after more than `max_restarts` within `period`. All its children count together, and
/// a child supervisor that gave up counts with all the failures that made it do so. With the same limits at
/// every level the first supervisor that gives up therefore ends the process: however deep the tree is, one
/// more failure within a minute than `max_restarts` is enough, and one failure a minute never is.
struct restart_intensity {
  unsigned max_restarts = 10;
  duration period = std::chrono::seconds(60);
};

enum class exit_kind {
  normal,
  shutdown,   ///< told to end for good
  restarting, ///< told to end by its supervisor, which starts it again
  killed,
  error
};

/// How an actor ended.
struct exit_info {
  exit_kind kind = exit_kind::normal;
  std::string text;      ///< the last error in words, for `error`
  unsigned failures = 1; ///< how many it counts as; for a supervisor, those of its children
};

/// What to do about an end. Lists are in the order in which to do them: stop last started first, restart
/// first started first.
struct restart_decision {
  std::vector<std::string> stop;
  std::vector<std::string> restart;
  std::vector<std::string> forget;     ///< temporary or finished children that come off the list
  std::optional<std::string> escalate; ///< give up, for this reason; the other lists are empty then
  unsigned failures = 0;               ///< within the period, this one included
  unsigned own_failures = 0;           ///< of these, the failures of the child itself
};

/// Decides what follows from an end, and remembers restarts for the intensity. It has no actors and no clock:
/// time is an argument.
class restart_policy {
public:
  restart_policy(std::string supervisor_path, strategy how, restart_intensity limit)
      : path_(std::move(supervisor_path)), strategy_(how), limit_(limit) {}

  /// Appends a child to the starting order. False when the name is taken.
  bool add(std::string name, restart when);
  void remove(std::string_view name);
  bool has(std::string_view name) const;
  /// The names in starting order.
  std::vector<std::string> names() const;

  /// A child ended without being told to. `now` must not go back.
  restart_decision child_exited(std::string_view name, const exit_info& how, time_point now);

private:
  struct child {
    std::string name;
    restart when = restart::permanent;
  };
  std::string give_up_reason(std::string_view name, const exit_info& how,
                             const restart_decision& count) const;

  struct past_restart {
    time_point at;
    std::string name;
    unsigned failures = 1;
  };
  std::string path_;
  strategy strategy_;
  restart_intensity limit_;
  std::vector<child> children_;
  std::deque<past_restart> restarts_;
};

} // namespace swarm::actors
