#pragma once

#include "actors/swop/plan/sn_plan.hpp"
#include "actors/swop/work.hpp"

#include <set>

namespace swarm::actors {

/// A RUN_NODE at work, on the thread of `task_work`: it brings an SN that the profile offers to the state that the task
/// wants. One that runs already is as good as one that was started. What this part has started and is no member in time
/// is stopped again.
struct node_work {
  const swop_context& context;
  const swop::part_id& part;
  const task_work::going& tell;
  const std::stop_token& stop;
  /// What the chain is told beside the code of a failure.
  std::uint64_t& number;

  result<> operator()(const tasks::run_node& body) const;

private:
  result<> start(const tasks::sn_definition& what) const;
  result<> wait_until_member(const tasks::sn_definition& what, const std::string& program) const;
  result<> end(const sn_program& what) const;
};

/// Tells the log of SNs that have ended, which outlive the tasks that have started them, and starts those again that went
/// down with their host.
class node_watch {
public:
  /// May block for as long as starting a program takes, the first time.
  void look(const swop_context& context);

private:
  bool begun_ = false;
  std::set<std::string> told_; ///< names of programs
};

} // namespace swarm::actors
