#pragma once

#include "actors/swop/swop_context.hpp"
#include "actors/swop/task/task_machine.hpp"
#include "config/tasks/task.hpp"

#include <thread>

namespace swarm::actors {

/// What a task does that is no RUN_SWARM: it builds an environment, makes a volume or starts a node, on a thread of its own. Its end
/// waits for that thread, which ends soon after `stop`.
class task_work {
public:
  using going = std::function<void(swop::event::work_going)>;
  using ended = std::function<void(swop::event::work_ended)>;
  task_work(std::shared_ptr<const swop_context> context, swop::part_id part, tasks::task_definition what,
            going on_going, ended on_ended);

  void stop() { thread_.request_stop(); }

private:
  std::jthread thread_;
};

} // namespace swarm::actors
