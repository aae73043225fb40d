#pragma once

#include "actors/supervision/machine/restart_policy.hpp"

namespace swarm::actors {

/// What the supervisor's shell is to do, in the order given.
struct supervisor_action {
  enum class what {
    start,  ///< run the child's start function, then report child_ready or child_exited
    stop,   ///< tell the child to end as `how` says, for good (shutdown) or to be started again (restarting);
            ///< its end comes back as child_exited
    kill,   ///< the child did not stop: end it unconditionally
    stuck,  ///< the child could not be killed either: it is left behind and named
    forget, ///< the child is off the list
    ready,  ///< every child has been started once
    end     ///< all children are down: the supervisor ends as `how` says. Nothing follows.
  };
  what kind = what::start;
  std::string name;
  exit_info how;
};

/// The life of a supervisor and its children as a machine without actors, clock or I/O: events in,
/// actions out. One child starts or stops at a time, so the order holds: started first to last, stopped
/// last to first.
class supervisor_machine {
public:
  using actions = std::vector<supervisor_action>;

  struct child_rule {
    std::string name;
    restart when = restart::permanent;
    duration shutdown_timeout = std::chrono::seconds(1);
  };
  struct settings {
    std::string path;
    strategy how = strategy::one_for_one;
    restart_intensity intensity{};
    duration backoff_first = std::chrono::milliseconds(50);
    duration backoff_max = std::chrono::seconds(5);
    duration kill_grace = std::chrono::milliseconds(250);
  };

  explicit supervisor_machine(settings s);

  actions start(const std::vector<child_rule>& children, time_point now);
  actions child_ready(std::string_view name, time_point now);
  actions child_exited(std::string_view name, const exit_info& how, time_point now);
  /// Appends a child and starts it. It replaces a finished child of the same name; `may_add` says whether the
  /// name is free.
  actions add(const child_rule& rule, time_point now);
  bool may_add(std::string_view name) const;
  /// Stops a child, if it runs, and forgets it. Nothing happens when there is none.
  actions remove(std::string_view name, time_point now);
  /// Stops all children and ends with `why`. Only the first reason counts. Unless it is a shutdown, this
  /// supervisor and its children will be started again, and the children are told so.
  actions stop(exit_info why, time_point now);
  /// To be called at `deadline()`; it may be called at any time.
  actions tick(time_point now);
  std::optional<time_point> deadline() const;

  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// Whether the child runs or will be started again.
  bool active(std::string_view name) const;
  bool stopping() const { return ending_.has_value(); }
  bool ended() const { return ended_; }
  std::size_t running() const;
  unsigned failures() const { return failures_; }

private:
  enum class state { down, starting, up, stopping, killing, stuck };
  struct child {
    child_rule rule;
    state now = state::down;
    bool wanted = true;
    bool to_stop = false;
    bool to_forget = false;
    bool again = false; ///< stopped to be started again, by this supervisor or with it
    time_point not_before{};
    time_point until{};
  };

  static bool alive(const child& c) { return c.now == state::starting || c.now == state::up; }
  const child* find(std::string_view name) const;
  child* find(std::string_view name);
  void carry_out(const restart_decision& decision, time_point now);
  void begin_end(exit_info why, bool again);
  void came_down(child& c, actions& out);
  duration pause_before(unsigned failure) const;
  actions advance(time_point now);
  bool advance_stopping(time_point now, actions& out);
  void advance_starting(time_point now, actions& out);

  settings settings_;
  restart_policy policy_;
  std::vector<child> children_;
  std::optional<exit_info> ending_;
  bool ended_ = false;
  bool started_ = false;
  bool ready_told_ = false;
  unsigned failures_ = 0;
};

} // namespace swarm::actors
