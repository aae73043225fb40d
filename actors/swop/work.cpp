#include "actors/swop/work.hpp"

#include "actors/swop/container_work.hpp"
#include "actors/swop/content/make_content.hpp"
#include "actors/swop/managers/process/build/confine.hpp"
#include "actors/swop/managers/process/build/environment.hpp"
#include "actors/swop/managers/process/shim_call.hpp"
#include "actors/swop/node_work.hpp"
#include "actors/swop/plan/failures.hpp"
#include "actors/swop/plan/host_paths.hpp"
#include "base/log.hpp"

#include <cstdlib>

namespace swarm::actors {

namespace {

using swop::task_step;

/// A task at work, on the thread of `task_work`.
struct worker {
  std::shared_ptr<const swop_context> context;
  const swop::part_id& part;
  const tasks::task_definition& task;
  const task_work::going& tell;
  std::stop_token stop;
  /// What the chain is told beside the code of a failure: a status, a step, seconds.
  std::uint64_t number = 0;

  container_work in_containers() { return {*context, task, tell, stop, number}; }

  /// For pip and downloads: this process's paths and proxies, and what the profile says over them.
  build::variables host_variables() const {
    build::variables out;
    for (const auto* name : {"PATH",
                             "HOME",
                             "http_proxy",
                             "https_proxy",
                             "no_proxy",
                             "all_proxy",
                             "HTTP_PROXY",
                             "HTTPS_PROXY",
                             "NO_PROXY",
                             "ALL_PROXY",
                             "PIP_INDEX_URL",
                             "PIP_EXTRA_INDEX_URL",
                             "PIP_CERT",
                             "PIP_CONFIG_FILE",
                             "PIP_NO_INDEX",
                             "PIP_FIND_LINKS",
                             "SSL_CERT_FILE",
                             "SSL_CERT_DIR",
                             "REQUESTS_CA_BUNDLE",
                             "LANG",
                             "LC_ALL"})
      if (const auto* value = std::getenv(name)) out[name] = value;
    for (const auto& variable : context->profile.variables)
      if (variable.value) out[variable.name] = *variable.value;
    return out;
  }

  result<> operator()(const tasks::make_swarm_user_content& body) {
    content::content_request wanted{.name = task.outcome, .allowed = host_paths(*context).allowed()};
    if (body.type == tasks::content_type::swarm)
      for (const auto& node : context->profile.nodes)
        wanted.nodes.push_back(node.index);
    for (const auto& [name, value] : host_variables())
      wanted.variables[name] = value;
    for (const auto& each : body.operations) {
      content::operation_options options;
      if (each.out) options.emplace_back("Out", *each.out);
      if (each.sha256) options.emplace_back("Sha256", *each.sha256);
      const auto* kind = each.kind == tasks::operation_kind::download ? "DOWNLOAD" : "EXTRACT";
      SWARM_TRY(auto one, content::read_operation(kind, each.target, options));
      wanted.operations.push_back(std::move(one));
    }
    SWARM_CHECK(
        content::make_content(wanted, *context->volumes, {}, stop, [&](const content::content_progress& at) {
          number = at.download.trouble;
          const bool extracting = at.what == content::operation::kind::extract;
          tell({extracting ? task_step::extracting : task_step::downloading, at.download.bytes >> 20});
        }));
    return context->engine ? in_containers().bring_into_engine(wanted.nodes) : result<>{};
  }
  result<> operator()(const tasks::make_user_container& body) {
    if (context->engine) return in_containers().build(body);
    if (context->has_pods)
      return fail(plan_errc::needs_container_engine,
                  "MAKE_USER_CONTAINER needs a container engine, which mgrtype KUBERNETES does without: "
                  "build the image "
                  "elsewhere, push it to a registry, and name it by a PULL_IMAGE task");
    SWARM_CHECK(context->manager->check()); // packages run code of theirs when they are built
    build::build_request wanted;
    wanted.name = task.outcome;
    wanted.environments = context->environments();
    wanted.host_variables = host_variables();
    wanted.readable = build::paths_named_by(wanted.host_variables);
    wanted.confine = [shim = managers::shim_beside_this_program()](build::child_command each) {
      return build::confined(shim, std::move(each));
    };
    if (body.context) {
      auto found = context->volumes->find(*body.context);
      if (!found) return fail(plan_errc::volume_missing, "{}", found.error().message);
      wanted.context = std::move(*found);
      wanted.context_name = *body.context;
    }
    if (body.type == tasks::build_type::remote)
      return fail(plan_errc::needs_container_engine, "BuildType REMOTE needs a container engine");
    const bool is_venv = body.type == tasks::build_type::venv;
    wanted.steps = is_venv ? build::read_requirements(body.steps, wanted.context.has_value())
                           : build::read_dockerfile(body.steps);
    wanted.source = is_venv ? "VENV\n" : "INLINE\n";
    for (const auto& step : body.steps)
      wanted.source += step + "\n";
    wanted.on_step = [&](std::size_t line) {
      number = line;
      tell({task_step::building, number});
    };
    tell({task_step::building, 0});
    const auto built = build::build_environment(wanted, stop, [&](std::string_view line) {
      log::info(context->log_source, "task {}: {}", task.name, line);
    });
    if (!built) {
      if (built.error().is(build::build_errc::out_of_time))
        number = static_cast<std::uint64_t>(wanted.time_max.count());
      return tl::unexpected(built.error());
    }
    log::info(context->log_source, "task {}: environment '{}' is {}", task.name, task.outcome,
              built->folder.native());
    return {};
  }
  result<> operator()(const tasks::pull_image& body) {
    if (context->engine) return in_containers().pull(body);
    if (context->has_pods) return leave_to_nodes(body);
    return fail(plan_errc::needs_container_engine, "PULL_IMAGE needs a container engine, which mgrtype "
                                                   "PROCESS does without: make the environment with a "
                                                   "MAKE_USER_CONTAINER task");
  }
  /// The nodes of a cluster pull an image when they need it, by its own name.
  result<> leave_to_nodes(const tasks::pull_image& body) const {
    if (const auto name = image_name(body); name != task.outcome)
      return fail(plan_errc::task_not_valid,
                  "a cluster's nodes pull images by their own names: the Outcome has to be {}, and is {}",
                  name, task.outcome);
    log::info(context->log_source, "task {}: the cluster's nodes pull {} when they need it", task.name,
              task.outcome);
    return {};
  }
  result<> operator()(const tasks::run_node& body) {
    return node_work{*context, part, tell, stop, number}(body);
  }
  result<> operator()(const tasks::run_swarm&) const {
    return fail(plan_errc::task_not_valid, "a RUN_SWARM is no work");
  }
};

} // namespace

task_work::task_work(std::shared_ptr<const swop_context> context, swop::part_id part,
                     tasks::task_definition what, going on_going, ended on_ended)
    : thread_([context = std::move(context), part, task = std::move(what), tell = std::move(on_going),
               done = std::move(on_ended)](const std::stop_token& stop) {
        worker at_work{context, part, task, tell, stop};
        const auto outcome = std::visit(at_work, task.body);
        if (outcome) return done({});
        log::error(context->log_source, "task {}: {}", task.name, outcome.error().message);
        auto why = failure_of(outcome.error());
        if (!contracts::number_word(why.code, at_work.number).empty()) why.number = at_work.number;
        done({why});
      }) {}

} // namespace swarm::actors
