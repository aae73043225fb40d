#pragma once

#include "actors/sn_client/messages.hpp"
#include "config/tasks/task.hpp"

#include <optional>

namespace swarm::actors {

/// Reads a task, with its prerequisite's outcome, in two questions to the SN. One task at a time.
class task_reader {
public:
  struct found {
    std::string task;
    result<tasks::task_definition> definition;
    std::string prerequisite_outcome; ///< empty for that of ROOTTASK
  };

  /// The first question about a task, in place of what was read before.
  session::event::ask begin(std::string task);
  /// The answer to the last question: the next question, or what was found. Nothing: it answers an older question.
  std::optional<std::variant<session::event::ask, found>> take(const session::action::answered& from);
  /// What is being read; empty for nothing.
  const std::string& task() const { return task_; }

private:
  session::event::ask ask(std::vector<session::rpc_call> calls);
  found fail_with(error why);
  result<> take_task(const std::vector<boost::json::value>& responses);

  std::string task_;
  std::uint64_t last_id_ = 0;
  std::optional<tasks::task_definition> definition_;
};

} // namespace swarm::actors
