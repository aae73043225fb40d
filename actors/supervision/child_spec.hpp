#pragma once

#include "actors/supervision/machine/restart_policy.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace swarm::actors {

class probe;
class actor_record;
struct environment;

/// What a start function gets. `role<State>(...)` (role_actor.hpp) and `nested(...)` make start functions;
/// write one by hand only for a bare CAF actor.
struct start_context {
  caf::local_actor* parent = nullptr; ///< the supervisor, on whose thread the start function runs
  std::shared_ptr<environment> env;
  std::string path;
  std::shared_ptr<actor_record> record;
  std::shared_ptr<probe> live;
  bool detached = false;
  std::size_t mailbox_limit = 0;
  bool announces_ready = false; ///< set by the start function: the next child waits until this one is ready
};

using start_function = std::function<caf::actor(start_context&)>;

/// One child of a supervisor.
struct child_spec {
  std::string name;     ///< [A-Za-z0-9._:-]+, at most 64 characters, unique among its siblings
  start_function start; ///< run again at every restart
  restart when = restart::permanent;
  /// How long a child may take to stop before it is killed. A handler that does not return cannot be killed:
  /// the supervisor then gives up on it and says so.
  std::chrono::milliseconds shutdown_timeout{1000};
  bool detached = false; ///< own thread: for actors that may block (disk, merge)
  /// Ordinary messages beyond this many waiting are refused: requests get an error, others are counted and
  /// logged. Answers, exits and timeouts always get through.
  std::size_t mailbox_limit = 65536;
  bool supervisor = false; ///< set by `nested`
  bool auxiliary = false;  ///< root's children only: does not keep the process alive (admin, metrics)
};

/// A supervisor and its children, started in this order and stopped in reverse.
struct supervisor_spec {
  std::string name;
  strategy how = strategy::one_for_one;
  restart_intensity intensity{};
  /// Pause before a child is started again, doubled for each further time within the period, up to 5 s.
  std::chrono::milliseconds backoff{50};
  std::vector<child_spec> children;
};

/// A supervisor as a child of another. Its shutdown timeout is a little more than the sum of its children's.
///   child_spec sn = nested({.name = "sn", .how = strategy::rest_for_one, .children = {...}});
child_spec nested(supervisor_spec spec, restart when = restart::permanent);

/// To a supervisor: start one more child, after those it has. A request is answered with `child_added`, or
/// with an error when the name is bad or taken, or the supervisor is stopping.
///   self->tell("/swop/task", add_child{{.name = id, .start = role<task_state>(task_behavior, id),
///                                       .when = restart::temporary}});
struct add_child {
  child_spec spec;
};
struct child_added {
  std::string path;
};

/// To a supervisor: stop a child and forget it. A request is answered with `child_removed` once it has ended;
/// with an error when there is none of this name.
struct remove_child {
  std::string name;
};
struct child_removed {
  std::string name;
};

} // namespace swarm::actors
