#pragma once

#include "actors/swop/work.hpp"

namespace swarm::actors {

/// A task at work where there is a container engine, on the thread of `task_work`.
struct container_work {
  const swop_context& context;
  const tasks::task_definition& task;
  const task_work::going& tell;
  const std::stop_token& stop;
  /// What the chain is told beside the code of a failure.
  std::uint64_t& number;

  /// Builds the image that is the task's Outcome. A build that says nothing is not ended: the log says so.
  result<> build(const tasks::make_user_container& body) const;
  result<> pull(const tasks::pull_image& body) const;
  /// Brings the folders that `make_content` has made into volumes of the engine.
  result<> bring_into_engine(const std::vector<std::uint64_t>& nodes) const;
};

/// The name of an image as a task gives it in parts; the original's files end the first one with a slash, or not.
std::string image_name(const tasks::pull_image& from);

} // namespace swarm::actors
