#include "actors/swop/swop.hpp"

#include "actors/node/identity.hpp"
#include "actors/sn_client/sn_client.hpp"
#include "actors/swop/choices.hpp"
#include "actors/swop/lines/lines.hpp"
#include "actors/swop/lines/offer.hpp"
#include "actors/swop/lines/own_log.hpp"
#include "actors/swop/managers/docker/docker_manager.hpp"
#include "actors/swop/managers/docker/volumes/engine_volumes.hpp"
#include "actors/swop/managers/kubernetes/kubernetes_manager.hpp"
#include "actors/swop/managers/process/process_manager.hpp"
#include "actors/swop/managers/slurm/slurm_manager.hpp"
#include "actors/swop/plan/failures.hpp"
#include "actors/swop/plan/sn_plan.hpp"
#include "actors/swop/runner.hpp"
#include "base/endpoint.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/log_tail.hpp"
#include "config/parse.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace swarm::actors {

namespace fs = std::filesystem;

namespace {

/// Whose tasks are carried out. A relative path is below the folder of the profile.
result<std::optional<tasks::task_policy>> read_policy(const tasks::swop_profile& profile,
                                                      const fs::path& folder, const std::string& log_source) {
  if (!profile.policy) {
    log::info(log_source,
              "the tasks of all admitted organisations are carried out; policyuri of the SWOP profile can "
              "name a file of rules that says whose");
    return std::optional<tasks::task_policy>{};
  }
  const auto file = folder / *profile.policy;
  SWARM_TRY(const auto text, read_file(file, tasks::policy_bytes_max));
  auto read = tasks::read_task_policy(text, file.native());
  for (const auto& each : read.warnings)
    log::warning(log_source, "{}", schema::told(each, file.native()));
  if (!read.value) return tl::unexpected(std::move(read.value).error());
  log::info(log_source, "tasks are carried out as the {} rules of {} say", read.value->rules.size(),
            file.native());
  return std::optional(std::move(*read.value));
}

/// Programs in sandboxes know nothing of this process's working directory.
config::swop_options with_absolute_paths(config::swop_options options) {
  std::error_code failure;
  for (auto* path : {&options.data_dir, &options.usr_dir})
    if (auto absolute = fs::absolute(*path, failure); !failure) *path = absolute.lexically_normal();
  return options;
}

/// As whom programs run: root chooses, and whoever has an engine or a cluster that does it for him; everybody else is who he is.
void choose_user(swop_context& to, tasks::manager_type manager) {
  to.uid = geteuid();
  to.gid = getegid();
  const bool chooses = manager == tasks::manager_type::docker || manager == tasks::manager_type::kubernetes;
  if (to.uid != 0 && !chooses) return;
  struct stat owner {};
  if (to.options.uid) {
    to.uid = *to.options.uid;
    to.gid = to.options.gid.value_or(*to.options.uid);
  } else if (::stat(to.options.usr_dir.c_str(), &owner) == 0) {
    to.uid = owner.st_uid;
    to.gid = owner.st_gid;
  }
}

result<> open_process_manager(swop_context& to) {
  const auto& data = to.options.data_dir;
  managers::process_manager_options options;
  options.folder = data / "programs";
  options.hidden = {data};
  options.volumes = {data / "volumes", data / "parts", data / "nodes", data / "environments"};
  options.uid = to.uid;
  options.gid = to.gid;
  SWARM_TRY(to.manager, managers::make_process_manager(
                            std::move(options), [watch = to.watch](const std::string&) { watch->tell(); }));
  return {};
}

/// The SL and the ML of a pair are in one allocation: their names differ in the last word.
result<> open_slurm_manager(swop_context& to) {
  const auto& data = to.options.data_dir;
  managers::slurm_manager_options options;
  options.folder = data / "programs";
  options.owner = to.owner();
  options.hidden = {data};
  options.volumes = {data / "volumes", data / "parts", data / "nodes", data / "environments"};
  options.allocation_of = [](const std::string& name) { return name.substr(0, name.rfind('.')); };
  options.channels = data / "parts";
  options.tell = [source = to.log_source](const std::string& text) { log::warning(source, "{}", text); };
  SWARM_TRY(to.manager, managers::make_slurm_manager(
                            std::move(options), [watch = to.watch](const std::string&) { watch->tell(); }));
  to.is_cluster = true;
  return {};
}

/// The SL and the ML of a pair are containers of one pod, called so.
managers::pod_place place_in_pod(const std::string& name) {
  const auto end = name.rfind('.');
  return {name.substr(0, end), name.substr(end + 1), 2};
}

result<> open_kubernetes_manager(swop_context& to) {
  const auto& data = to.options.data_dir;
  const auto& cluster = to.profile.cluster;
  SWARM_TRY(auto place, kubernetes::find_api({.server = cluster.server,
                                              .token_file = cluster.token_file,
                                              .ca_file = cluster.ca_file,
                                              .name_space = cluster.name_space}));
  managers::kubernetes_manager_options options;
  options.api = std::make_shared<const kubernetes::api>(std::move(place));
  options.folder = data / "programs";
  options.owner = to.owner();
  options.hidden = {data};
  options.shown = {data / "volumes", data / "parts", data / "nodes"};
  options.place_of = place_in_pod;
  options.places = {.channels = data / "parts", .scratch = data / "nodes"};
  if (const auto* own = std::getenv("HOSTNAME"); own != nullptr && cluster.server.empty())
    options.own_pod = own;
  options.tell = [source = to.log_source](const std::string& text) { log::warning(source, "{}", text); };
  log::info(to.log_source, "programs run in pods of the namespace {}, by the API server {}",
            options.api->place().name_space, options.api->server());
  SWARM_TRY(to.manager, managers::make_kubernetes_manager(
                            std::move(options), [watch = to.watch](const std::string&) { watch->tell(); }));
  to.is_cluster = to.has_pods = true;
  return {};
}

result<> open_docker_manager(swop_context& to) {
  const auto& data = to.options.data_dir;
  SWARM_TRY(const auto socket, engine_socket(to.options));
  auto engine = std::make_shared<engine::client>(socket);
  managers::docker_manager_options options;
  options.engine = engine;
  options.owner = to.owner();
  options.folder = data / "containers";
  // Whoever was given a socket by a container's mounts has an engine behind it.
  if (auto found = engine::find_own_mounts(*engine)) to.own_mounts = std::move(*found);
  options.paths_are_here = !to.own_mounts;
  options.hidden = {data};
  options.shown = {data / "parts", data / "nodes"};
  SWARM_TRY(to.manager, managers::make_docker_manager(
                            std::move(options), [watch = to.watch](const std::string&) { watch->tell(); }));
  engine::remove_helpers(*engine, to.owner());
  to.engine = std::move(engine);
  if (to.own_mounts && !to.own_mounts->on_host(data))
    return fail(errc::invalid,
                "{}: this SWOP is in a container, and its programs can see nothing of its data directory: "
                "mount a volume "
                "there",
                data.native());
  // An engine that is not there yet may come: each task looks again.
  if (const auto version = to.engine->version(); version)
    log::info(to.log_source, "containers are started by {} {} ({}), in version {} of its interface",
              version->product, version->version, socket.native(), version->api);
  else
    log::warning(to.log_source, "{}", version.error().message);
  return {};
}

result<> open_manager(swop_context& to) {
  const auto type = manager_of(to.options, to.profile);
  to.watch = std::make_shared<program_watch>();
  if (type == tasks::manager_type::slurm) return open_slurm_manager(to);
  if (type == tasks::manager_type::kubernetes) return open_kubernetes_manager(to);
  return type == tasks::manager_type::docker ? open_docker_manager(to) : open_process_manager(to);
}

/// How the SNs stand that tasks may start here.
std::vector<swop::offered_sn> offered_sns(const std::vector<tasks::sn_definition>& sns,
                                          managers::manager& in) {
  std::vector<swop::offered_sn> out;
  for (const auto& each : sns) {
    swop::offered_sn one{.name = each.name};
    if (const auto found = find_sn_program(in, each.name)) {
      const auto& program = found->program;
      one.runs = found->runs();
      one.since_ms = one.runs ? program.started_ms : program.ended_ms;
      if (const auto why = program.how ? failure_of(*program.how, swop::program_kind::sn) : swop::failure{};
          !one.runs && program.how->cause != managers::ending_cause::told)
        one.ended = swop::ended_text(
            {why.code == task_failure::none ? task_failure::program_exited : why.code, why.number});
    }
    out.push_back(std::move(one));
  }
  return out;
}

/// The port is known from here on, as it is registered with the SN.
result<> serve_lines(swop_context& to, tasks::manager_type manager) {
  const auto& options = to.options;
  if (options.host_ip.empty()) {
    log::info(to.log_source, "without --host-ip SWCIs cannot ask for the last lines of failed programs; they "
                             "are in this log only");
    return {};
  }
  const auto sns =
      manager == tasks::manager_type::process ? to.profile.sns : std::vector<tasks::sn_definition>{};
  auto offer = [data = options.data_dir, engine = std::string(tasks::name_of(manager)), sns,
                in = to.manager] {
    auto now = swop::read_offer(data, engine);
    now.sns = offered_sns(sns, *in);
    now.version = config::version();
    return swop::encode_offer(now);
  };
  log::keep_tail();
  SWARM_TRY(to.lines, swop::lines_server::start(*to.io, to.identity,
                                                {.address = options.bind_address,
                                                 .port = options.lines_port,
                                                 .members = to.members,
                                                 .offer = std::move(offer),
                                                 .log =
                                                     [](std::uint64_t after) {
                                                       return swop::encode_own_log(
                                                           log::tail_after(after, swop::own_log_lines_max));
                                                     },
                                                 .log_source = to.log_source}));
  return {};
}

std::shared_ptr<const sn_client_options> sn_options_of(const swop_context& context) {
  auto out = std::make_shared<sn_client_options>();
  out->node_name = context.options.node_name;
  out->sn = context.sn;
  out->known_sns = context.options.data_dir / "known-sns";
  out->known_genesis = context.options.data_dir / "genesis-hash";
  out->genesis_hash = context.options.genesis_hash;
  out->log_source = context.log_source;
  out->io = context.io;
  out->identity = context.identity;
  out->key = context.key;
  const auto here =
      context.lines ? endpoint{context.options.host_ip, context.lines->port()}.to_string() : std::string();
  out->registration = contracts::register_node_args{.type = contracts::node_type::swop,
                                                    .identity = context.identity->fingerprint(),
                                                    .name = context.options.node_name,
                                                    .endpoint = here};
  out->user = swop_names::runner;
  return out;
}

} // namespace

result<child_spec> make_swop(const config::swop_options& options, std::string name,
                             std::shared_ptr<transport::io_runtime> io) {
  auto context = std::make_shared<swop_context>();
  context->options = with_absolute_paths(options);
  context->log_source = name == "swop" ? "swarm.swop" : "swarm.swop." + options.node_name;
  context->io = std::move(io);
  const auto file = context->options.usr_dir / options.profile_file;
  SWARM_TRY(context->profile, read_swop_profile(file, context->log_source));
  context->profile_folder = file.parent_path();
  SWARM_TRY(context->policy, read_policy(context->profile, context->profile_folder, context->log_source));
  const auto manager = manager_of(context->options, context->profile);
  if (!context->profile.sns.empty() && manager != tasks::manager_type::process)
    log::warning(context->log_source,
                 "snnodes of the SWOP profile is of no use with mgrtype {}: only PROCESS starts SNs",
                 tasks::name_of(manager));
  SWARM_TRY(context->sn, sn_of(options, context->profile.sn));
  SWARM_TRY(const auto identity, open_node_identity(options));
  context->identity = identity.tls;
  context->members = identity.members;
  context->key = identity.key;
  const auto& data = context->options.data_dir;
  for (const auto* each : {"volumes", "environments", "nodes", "parts"})
    SWARM_CHECK(make_folders(data / each));
  context->volumes = std::make_shared<const content::volumes>(data / "volumes");
  choose_user(*context, manager);
  // Programs of another user come through to what is mounted for them; what is the node's own is closed to them.
  if (context->uid != geteuid()) ::chmod(data.c_str(), 0711);
  SWARM_CHECK(open_manager(*context));
  SWARM_CHECK(serve_lines(*context, manager));
  supervisor_spec spec{
      .name = std::move(name), .how = strategy::one_for_one, .intensity = {}, .children = {}};
  spec.children = {
      {.name = std::string(swop_names::sn), .start = sn_client_actor(sn_options_of(*context))},
      {.name = std::string(swop_names::runner),
       .start = runner_actor(context),
       .shutdown_timeout = std::chrono::seconds(7),
       .detached = true},
  };
  if (context->lines)
    spec.children.push_back(
        {.name = std::string(swop_names::lines), .start = lines_actor(context), .detached = true});
  return nested(std::move(spec));
}

} // namespace swarm::actors
