#include "actors/swop/plan/containers.hpp"

#include "actors/swop/choices.hpp"
#include "actors/swop/plan/words.hpp"
#include "base/hash.hpp"

#include <algorithm>

namespace swarm::actors {

using swop::program_kind;

namespace {

constexpr std::size_t name_bytes_max = 200;

/// swop-GROUP-TASK-u-INDEX-HEX, and s for the SL: whoever looks at a list of containers finds them, and no two runs,
/// nor two SWOPs of one profile, have the same.
std::string container_name(const swop_context& context, const part_order& order, std::uint32_t index,
                           program_kind kind) {
  auto out = fmt::format("swop-{}-{}", context.profile.group_name, order.task);
  for (auto& c : out)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_' && c != '-') c = '-';
  out.resize(std::min(out.size(), name_bytes_max));
  const auto which = context.account().view();
  const auto hash = sha256(as_bytes(to_hex(which, false) + program_name(order.part, index, kind)));
  return fmt::format("{}-{}-{}-{}", out, kind == program_kind::sl ? 's' : 'u', index,
                     to_hex(hash.view(), false).substr(0, 8));
}

std::map<std::string, std::string> labels_of(const swop_context& context, const part_order& order,
                                             std::uint32_t index, program_kind kind,
                                             const std::vector<tasks::named_values>& more) {
  std::map<std::string, std::string> out;
  for (const auto& each : more)
    out[each.name] = each.values.empty() ? std::string() : each.values.front();
  out["swarmd.group"] = context.profile.group_name;
  out["swarmd.task"] = order.task;
  out["swarmd.index"] = std::to_string(index);
  out["swarmd.kind"] = kind == program_kind::sl ? "sl" : "ml";
  return out;
}

result<engine::host_options> options_of(const tasks::node_definition& node) {
  engine::host_options out;
  for (const auto& each : node.user_options) {
    const auto first = each.values.empty() ? std::string() : each.values.front();
    const auto add = [&](std::vector<std::string>& to) {
      to.insert(to.end(), each.values.begin(), each.values.end());
    };
    if (each.name == "gpus") {
      out.gpus = first;
    } else if (each.name == "device") {
      add(out.devices);
    } else if (each.name == "ipc") {
      out.ipc = first;
    } else if (each.name == "group-add") {
      add(out.group_add);
    } else if (each.name == "cap-add") {
      add(out.cap_add);
    } else if (each.name == "security-opt") {
      add(out.security_opt);
    } else if (each.name == "privileged") {
      out.privileged = first != "False" && first != "false";
    } else if (each.name != "shm-size") {
      return fail(
          plan_errc::task_not_valid,
          "usrcontaineropts of node {}: '{}' is not known; there are gpus, device, ipc, shm-size, group-add, "
          "cap-add, security-opt and privileged",
          node.index, each.name);
    }
  }
  return out;
}

result<std::optional<std::uint64_t>> shared_memory_of(const tasks::node_definition& node) {
  for (const auto& each : node.user_options)
    if (each.name == "shm-size" && !each.values.empty()) {
      const auto bytes = bytes_of(each.values.front());
      if (!bytes)
        return fail(plan_errc::task_not_valid,
                    "usrcontaineropts of node {}: shm-size '{}' is no size, such as 8g", node.index,
                    each.values.front());
      return bytes;
    }
  return std::optional<std::uint64_t>();
}

result<managers::container_spec> container_of(const swop_context& context, const part_order& order,
                                              std::uint32_t index, program_kind kind,
                                              const tasks::program_definition& program) {
  managers::container_spec out;
  out.name = container_name(context, order, index, kind);
  out.labels = labels_of(context, order, index, kind, program.labels);
  out.network = context.profile.network.value_or("");
  out.address = program.network_ip.value_or("");
  if (!out.address.empty() && out.network.empty())
    return fail(plan_errc::task_not_valid, "the profile gives the address {} and names no network for it",
                out.address);
  return out;
}

} // namespace

result<> check_images(const swop_context& context, const part_order& order) {
  if (order.prerequisite_outcome.empty())
    return fail(plan_errc::prerequisite_missing,
                "programs in containers need an image: name as Prereq the task that builds or pulls it");
  if (context.has_pods) return {}; // which images its nodes have, or can pull, only the cluster knows
  if (const auto there = context.engine->image(order.prerequisite_outcome); !there) {
    if (!there.error().is(engine::engine_errc::not_found)) return tl::unexpected(there.error());
    return fail(plan_errc::prerequisite_missing, "the image '{}' is not there: assign its task '{}' first",
                order.prerequisite_outcome, order.definition->prereq);
  }
  if (const auto there = context.engine->image(sl_image(context.options)); !there) {
    if (!there.error().is(engine::engine_errc::not_found)) return tl::unexpected(there.error());
    return fail(managers::manager_errc::image_missing,
                "the image of SLs '{}' is not there: build it, or name another one with --sl-image",
                sl_image(context.options));
  }
  return {};
}

std::optional<engine::published_port> published_port_of(const swop_context& context,
                                                        const tasks::node_definition& node) {
  if (!context.has_containers() || !node.sl_port || context.profile.network == "host") return std::nullopt;
  return engine::published_port{.host = *node.sl_port, .container = config::sl_options{}.sl_fs_port};
}

result<> put_into_containers(const swop_context& context, const part_order& order,
                             const tasks::node_definition& node, std::uint32_t index, pair_plan& to) {
  SWARM_TRY(auto sl, container_of(context, order, index, program_kind::sl, node.sl));
  sl.image = sl_image(context.options);
  sl.entrypoint = {"swarmd"};
  if (const auto port = published_port_of(context, node)) sl.ports = {*port};
  to.sl.argv.erase(to.sl.argv.begin());
  to.sl.container = std::move(sl);
  SWARM_TRY(auto ml, container_of(context, order, index, program_kind::ml, node.user));
  const auto& task = std::get<tasks::run_swarm>(order.definition->body);
  ml.image = order.prerequisite_outcome;
  ml.entrypoint = words_of(task.entrypoint);
  to.ml.argv = words_of(task.command);
  SWARM_TRY(ml.options, options_of(node));
  SWARM_TRY(to.ml.limits.shared_memory_bytes, shared_memory_of(node));
  to.ml.gpus.reset(); // the engine's business
  // Programs fetch data and keep caches in a home, and their user has none in the image.
  to.ml.environment.try_emplace("HOME", "/tmp");
  to.ml.container = std::move(ml);
  return {};
}

} // namespace swarm::actors
