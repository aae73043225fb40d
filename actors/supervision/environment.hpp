#pragma once

#include "actors/metrics/registry.hpp"
#include "actors/supervision/directory.hpp"
#include "base/result.hpp"

namespace swarm::actors {

/// Answers one admin call with JSON text or an error for the person. It may be called once, from any thread;
/// if it is never called, the caller gets a timeout.
using method_reply = std::function<void(result<std::string> json)>;
/// `params` is JSON text of an object.
using admin_method = std::function<void(std::string params, method_reply reply)>;

/// What `swarm-inspect` can ask beyond the actors themselves. Filled by the roles when they start.
class method_table {
public:
  /// Answers `name` with a function, which runs in the admin actor and must not block. It replaces
  /// an older one.
  void add(std::string name, admin_method method);
  /// Answers `name` by asking the actor at `path`: it gets `admin_query` and answers std::string (JSON text).
  ///   env->methods.forward("chain", "/sn/chain");
  void forward(std::string name, std::string path);
  void remove(std::string_view name);

  struct target {
    admin_method method;
    std::string path; ///< the actor to ask, when there is no method
  };
  std::optional<target> find(std::string_view name) const;
  std::vector<std::string> names() const;

private:
  mutable std::mutex mutex_;
  std::map<std::string, target, std::less<>> targets_;
};

/// Sent to an actor to which a method is forwarded. In a behavior:
///   [self](const admin_query&) { return self->state().chain_json(); }
struct admin_query {
  std::string method;
  std::string params; ///< JSON text of an object
};

/// What all actors of one process share. `run_process` makes the one object, which lives until the last
/// actor has ended.
struct environment {
  directory dir;
  method_table methods;
  metrics::registry metrics;        ///< what is counted and measured, for /metrics
  std::string log_source = "swarm"; ///< dotted name in the log lines of supervisors and role actors
};

/// To "/root": this role has done its work ("training over", 0). Its subtree is stopped; the process ends
/// when every role that is not auxiliary has ended, with the first exit code that is not 0.
struct end_role {
  std::string role; ///< "/sl", or any path below it
  int code = 0;
  std::string line; ///< one line for the log
};

/// To "/root": stop everything in order and end the process with this code.
struct end_process {
  int code = 0;
  std::string line;
};

} // namespace swarm::actors
