#pragma once

#include "actors/sn_client/messages.hpp"
#include "config/tasks/task_policy.hpp"
#include "contracts/task/interface.hpp"

#include <optional>

namespace swarm::actors {

/// Reads a task, with its prerequisite's outcome, in two questions to the SN, and refuses what the SWOP's policy does not
/// take: a task, or one whose prerequisite somebody else wrote. One task at a time.
class task_reader {
public:
  struct found {
    std::string task;
    result<tasks::task_definition> definition;
    std::string prerequisite_outcome; ///< empty for that of ROOTTASK
  };

  /// Without a policy the tasks of all organisations are taken, but a RUN_NODE of that of `own`, this SWOP, alone.
  task_reader(std::optional<tasks::task_policy> policy, const address& own)
      : policy_(std::move(policy)), own_(own) {}

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
  result<> check_policy(const contracts::task_view& task) const;
  result<> check_own(const contracts::task_view& task, const boost::json::value& response) const;

  std::optional<tasks::task_policy> policy_;
  address own_;

  std::string task_;
  std::uint64_t last_id_ = 0;
  std::optional<tasks::task_definition> definition_;
};

} // namespace swarm::actors
