#include "actors/swop/work.hpp"

#include "actors/swop/content/make_content.hpp"
#include "actors/swop/plan/failures.hpp"
#include "actors/swop/plan/host_paths.hpp"
#include "base/log.hpp"

namespace swarm::actors {

namespace {

using swop::task_failure;
using swop::task_step;

/// A task at work, on the thread of `task_work`.
struct worker {
  std::shared_ptr<const swop_context> context;
  const tasks::task_definition& task;
  const task_work::going& tell;
  std::stop_token stop;

  result<> operator()(const tasks::make_swarm_user_content& body) const {
    content::content_request wanted{.name = task.outcome, .allowed = host_paths(*context).allowed()};
    if (body.type == tasks::content_type::swarm)
      for (const auto& node : context->profile.nodes)
        wanted.nodes.push_back(node.index);
    for (const auto& variable : context->profile.variables)
      if (variable.value) wanted.variables[variable.name] = *variable.value;
    for (const auto& each : body.operations) {
      content::operation_options options;
      if (each.out) options.emplace_back("Out", *each.out);
      if (each.sha256) options.emplace_back("Sha256", *each.sha256);
      const auto* kind = each.kind == tasks::operation_kind::download ? "DOWNLOAD" : "EXTRACT";
      SWARM_TRY(auto one, content::read_operation(kind, each.target, options));
      wanted.operations.push_back(std::move(one));
    }
    return content::make_content(
        wanted, *context->volumes, {}, stop, [&](const content::content_progress& at) {
          const bool extracting = at.what == content::operation::kind::extract;
          tell({extracting ? task_step::extracting : task_step::downloading, at.download.bytes >> 20});
        });
  }
  result<> operator()(const tasks::make_user_container&) const {
    return fail(plan_errc::needs_container_engine, "building is not there yet");
  }
  result<> operator()(const tasks::pull_image&) const {
    return fail(plan_errc::needs_container_engine, "PULL_IMAGE needs a container engine, which mgrtype "
                                                   "PROCESS does without: make the environment with a "
                                                   "MAKE_USER_CONTAINER task");
  }
  result<> operator()(const tasks::run_swarm&) const {
    return fail(plan_errc::task_not_valid, "a RUN_SWARM is no work");
  }
};

} // namespace

task_work::task_work(std::shared_ptr<const swop_context> context, tasks::task_definition what, going on_going,
                     ended on_ended)
    : thread_([context = std::move(context), task = std::move(what), tell = std::move(on_going),
               done = std::move(on_ended)](const std::stop_token& stop) {
        const auto outcome = std::visit(worker{context, task, tell, stop}, task.body);
        if (outcome) return done({});
        log::error(context->log_source, "task {}: {}", task.name, outcome.error().message);
        done({failure_of(outcome.error())});
      }) {}

} // namespace swarm::actors
