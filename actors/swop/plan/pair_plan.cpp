#include "actors/swop/plan/pair_plan.hpp"

#include "actors/swop/managers/process/build/environment.hpp"
#include "actors/swop/managers/slurm/slurm_manager.hpp"
#include "actors/swop/plan/containers.hpp"
#include "actors/swop/plan/node_programs.hpp"
#include "actors/swop/plan/words.hpp"
#include "base/endpoint.hpp"
#include "base/file.hpp"

#include <unistd.h>

#include <charconv>

namespace swarm::actors {

namespace fs = std::filesystem;

namespace {

// What programs find in their world; the folder of the channel is the original's.
constexpr std::string_view channel_target = "/tmp/hpe-swarm";
constexpr std::uint64_t gpus_max = 16;

std::string channel_file(std::string_view name) {
  return fmt::format("{}/{}.channel", channel_target, name);
}

/// The numbers of the first GPUs, for CUDA, which takes them up to the first one that is not there.
std::string first_gpus(std::uint64_t count) {
  std::string out = "0";
  for (std::uint64_t i = 1; i < std::min(count, gpus_max); ++i)
    out += fmt::format(",{}", i);
  return out;
}

/// What `--gpus` of docker means: "all", how many, or "device=" and their numbers.
std::optional<std::string> gpus_of(const tasks::node_definition& node) {
  for (const auto& option : node.user_options) {
    if (option.name != "gpus" || option.values.empty()) continue;
    const auto& wanted = option.values.front();
    if (wanted == "all") return first_gpus(gpus_max);
    std::uint64_t count = 0;
    const auto* const end = wanted.data() + wanted.size();
    if (std::from_chars(wanted.data(), end, count).ptr == end && count > 0) return first_gpus(count);
    constexpr std::string_view prefix = "device=";
    const auto at = wanted.find(prefix);
    if (at == std::string::npos) continue;
    const auto named = wanted.substr(at + prefix.size());
    return named.substr(0, named.find('"')); // a shell's quotes around the list of devices
  }
  return std::nullopt;
}

/// A name of a node that config takes: letters, digits, '.', '_' and '-', beginning with a letter or digit. Where the
/// profile gives none, no other SWOP makes the same: a part of its UID is in it.
std::string node_name(const swop_context& context, const tasks::node_definition& node) {
  const auto uid = to_hex(context.account().view(), false).substr(0, 8);
  const auto own = fmt::format("-{}-sl-{}", uid, node.index);
  const auto group = context.profile.group_name.substr(0, config::name_bytes_max - own.size());
  auto out = node.sl.host_name.value_or(group + own);
  for (auto& c : out)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_' && c != '-') c = '-';
  if (out.empty() || std::isalnum(static_cast<unsigned char>(out.front())) == 0) out.insert(0, "sl");
  return out.substr(0, config::name_bytes_max);
}

/// Where other nodes reach this SL. Names of a container network mean nothing on the host's own, on which programs in
/// sandboxes are.
std::string host_ip(const swop_context& context, const tasks::node_definition& node) {
  const auto is_literal = [](const std::string& text) {
    return text.find(':') != std::string::npos || text.find_first_not_of("0123456789.") == std::string::npos;
  };
  if (node.sl_host_ip
      && (context.has_containers() || is_literal(*node.sl_host_ip) || context.options.host_ip.empty()))
    return *node.sl_host_ip;
  if (context.is_cluster) return std::string(managers::node_address_word);
  return context.options.host_ip.empty() ? "127.0.0.1" : context.options.host_ip;
}

class planner {
public:
  planner(const swop_context& context, const part_order& order)
      : context_(context), order_(order), task_(std::get<tasks::run_swarm>(order.definition->body)),
        paths_(context) {}

  result<pair_plan> plan(const tasks::node_definition& node, std::uint32_t index) {
    pair_plan out;
    out.node = node.index;
    const auto folder = part_folder(context_, order_.part) / std::to_string(index);
    const auto channel = folder / "channel";
    const auto data = context_.options.data_dir / "nodes" / std::to_string(node.index);
    for (const auto& made : {make_folders(channel), make_folders(data, 0700)})
      if (!made) return fail(plan_errc::disk_failed, "{}", made.error().message);
    // The training program runs as another user than the SL; nobody else comes as far as here.
    std::error_code ignored;
    fs::permissions(channel, fs::perms::all, ignored);
    SWARM_TRY(const auto shared, paths_.on_host(channel));
    const managers::mount pipes{shared.native(), std::string(channel_target), true};
    SWARM_TRY(out.sl, plan_sl(node, index, data));
    out.sl.mounts.push_back(pipes);
    SWARM_TRY(out.ml, plan_ml(node, index));
    out.ml.mounts.push_back(pipes);
    out.admin_socket = data / "admin.sock";
    if (context_.has_containers()) SWARM_CHECK(put_into_containers(context_, order_, node, index, out));
    if (context_.has_pods)
      for (const auto& part : node.identity)
        out.sl.container->copied.push_back(target_of(part.where.target));
    return out;
  }

private:
  result<managers::program_spec> plan_sl(const tasks::node_definition& node, std::uint32_t index,
                                         const fs::path& data) {
    managers::program_spec out;
    out.name = program_name(order_.part, index, swop::program_kind::sl);
    out.environment = environment_of(tasks::merged({context_.profile.variables, node.sl.variables}));
    // Where the image's health check and swarm-inspect look. A pod's own folder is open to all in it, an SL's must not be.
    const auto data_dir = fmt::format("{}{}", node_data_target, context_.has_pods ? "/sl" : "");
    out.environment["SWARMD_DATA_DIR"] = data_dir;
    out.working_directory = node_data_target;
    out.host_name = node.sl.host_name.value_or("");
    out.dns = context_.profile.dns;
    out.uid = geteuid();
    out.gid = getegid();
    out.limits = limits_of(node.sl.limits);
    SWARM_TRY(const auto kept, paths_.on_host(data));
    out.mounts.push_back({kept.native(), std::string(node_data_target), true});
    if (!context_.has_containers()) add_own_programs(out);
    out.argv = {fmt::format("{}/swarmd", bin_target), "--role", "sl"};
    const auto flag = [&](std::string_view name, std::string value) {
      out.argv.push_back(fmt::format("--{}", name));
      out.argv.push_back(std::move(value));
    };
    flag("data-dir", data_dir);
    flag("node-name", node_name(context_, node));
    flag("host-ip", host_ip(context_, node));
    const auto published = published_port_of(context_, node);
    if (node.sl_fs_service)
      flag("sl-fs-service", *node.sl_fs_service);
    else if (published)
      flag("sl-fs-service", endpoint{host_ip(context_, node), published->host}.to_string());
    flag("sl-fs-port", std::to_string(published ? published->container : file_port(node)));
    SWARM_TRY(const auto sn, endpoint::parse(context_.sn));
    flag("sn-ip", sn.host);
    flag("sn-api-port", std::to_string(sn.port));
    flag("request-channel", channel_file("request"));
    flag("response-channel", channel_file("response"));
    out.argv.emplace_back("--channel-open"); // to whoever comes as far as the folder
    for (const auto& part : node.identity)
      SWARM_CHECK(add_identity(part, paths_, out));
    return out;
  }

  /// Of the profile; else the one to which a proxy leads, or any.
  static std::uint16_t file_port(const tasks::node_definition& node) {
    if (node.sl_port) return *node.sl_port;
    return node.sl_fs_service ? config::sl_options{}.sl_fs_port : std::uint16_t{0};
  }

  result<managers::program_spec> plan_ml(const tasks::node_definition& node, std::uint32_t index) const {
    managers::program_spec out;
    out.name = program_name(order_.part, index, swop::program_kind::ml);
    out.argv = words_of(task_.entrypoint);
    for (auto& word : words_of(task_.command))
      out.argv.push_back(std::move(word));
    if (out.argv.empty() && !context_.has_containers())
      return fail(plan_errc::task_not_valid, "Command and Entrypoint are empty: there is nothing to run");
    out.environment = environment_of(tasks::merged({task_.variables, node.user.variables}));
    out.environment["SL_REQUEST_CHANNEL"] = channel_file("request");
    out.environment["SL_RESPONSE_CHANNEL"] = channel_file("response");
    out.working_directory = target_of(task_.working_dir);
    out.host_name = node.user.host_name.value_or("");
    out.dns = context_.profile.dns;
    out.uid = context_.uid;
    out.gid = context_.gid;
    out.limits = limits_of(node.user.limits);
    out.gpus = gpus_of(node);
    if (!context_.has_containers()) SWARM_CHECK(add_environment(out));
    SWARM_CHECK(add_content(node, out));
    return out;
  }

  /// The environment that the prerequisite made; of ROOTTASK the host's own Python.
  result<> add_environment(managers::program_spec& to) const {
    auto& path = to.environment["PATH"];
    if (path.empty()) path = "/usr/local/bin:/usr/bin:/bin";
    if (order_.prerequisite_outcome.empty()) return {};
    auto built = build::find_environment(context_.environments(), order_.prerequisite_outcome);
    if (!built) {
      built.error().message += fmt::format(": assign its task '{}' first", order_.definition->prereq);
      return tl::unexpected(std::move(built).error());
    }
    to.mounts.push_back({built->folder.native(), built->folder.native(), false});
    path = fmt::format("{}:{}", built->python.parent_path().native(), path);
    to.environment["VIRTUAL_ENV"] = (built->folder / "venv").native();
    for (const auto& [name, value] : built->environment)
      to.environment.try_emplace(name, value);
    if (to.working_directory.empty()) to.working_directory = built->working_folder;
    add_files_of_image(built->root, to);
    return {};
  }

  /// What the build's steps put into folders of the image. In /tmp the program has folders of its own beside
  /// them.
  static void add_files_of_image(const fs::path& root, managers::program_spec& to) {
    std::error_code failure;
    for (fs::directory_iterator at(root, failure), end; !failure && at != end; at.increment(failure)) {
      if (at->is_symlink(failure)) continue; // left by a package, to anywhere
      const auto name = at->path().filename();
      if (name != "tmp") {
        to.mounts.push_back({at->path().native(), "/" + name.native(), false});
        continue;
      }
      for (fs::directory_iterator below(at->path(), failure); !failure && below != end;
           below.increment(failure))
        if (!below->is_symlink(failure))
          to.mounts.push_back({below->path().native(), "/tmp/" + below->path().filename().native(), false});
    }
  }

  result<> add_content(const tasks::node_definition& node, managers::program_spec& to) const {
    if (task_.private_content && node.data) {
      const tasks::mount wanted{node.data->source, *task_.private_content, node.data->type};
      SWARM_TRY(const auto source, paths_.source_of(wanted, node.index, host_paths::said_by::profile));
      to.mounts.push_back({source.native(), target_of(*task_.private_content), true});
    }
    for (const auto& each : task_.shared_content) {
      SWARM_TRY(const auto source, paths_.source_of(each, node.index, host_paths::said_by::task));
      to.mounts.push_back({source.native(), target_of(each.target), true});
    }
    return {};
  }

  const swop_context& context_;
  const part_order& order_;
  const tasks::run_swarm& task_;
  host_paths paths_;
};

template <class Number>
bool take_number(std::string_view& text, Number& to, char end) {
  const auto stop = text.find(end);
  if (stop == std::string_view::npos) return false;
  const auto digits = text.substr(0, stop);
  const auto* const first = digits.data();
  const auto* const last = first + digits.size();
  const auto [at, failure] = std::from_chars(first, last, to);
  if (failure != std::errc{} || at != last) return false;
  text.remove_prefix(stop + 1);
  return true;
}

} // namespace

result<std::vector<pair_plan>> plan_pairs(const swop_context& context, const part_order& order) {
  const auto& nodes = context.profile.nodes;
  if (order.pairs > nodes.size())
    return fail(plan_errc::task_not_valid, "the run counts {} nodes here, the profile has {} now",
                order.pairs, nodes.size());
  if (context.has_containers()) SWARM_CHECK(check_images(context, order));
  planner on(context, order);
  std::vector<pair_plan> out;
  for (std::uint32_t i = 0; i < order.pairs; ++i) {
    SWARM_TRY(auto one, on.plan(nodes[i], i));
    out.push_back(std::move(one));
  }
  return out;
}

std::string program_name(const swop::part_id& part, std::uint32_t index, swop::program_kind kind) {
  return fmt::format("{}.{}.{}.{}.{}", part.run, part.assigned_block, part.attempt, index,
                     swop::word_of(kind));
}

std::string sn_program_name(const swop::part_id& part, std::string_view node) {
  return fmt::format("{}.{}.{}.{}.{}", part.run, part.assigned_block, part.attempt, node,
                     swop::word_of(swop::program_kind::sn));
}

std::optional<named_program> parse_program_name(std::string_view name) {
  named_program out;
  if (!take_number(name, out.part.run, '.') || !take_number(name, out.part.assigned_block, '.')
      || !take_number(name, out.part.attempt, '.'))
    return std::nullopt;
  if (name.ends_with(".sn")) {
    name.remove_suffix(3);
    if (name.empty()) return std::nullopt;
    out.kind = swop::program_kind::sn;
    out.node = std::string(name);
    return out;
  }
  if (!take_number(name, out.index, '.') || (name != "sl" && name != "ml")) return std::nullopt;
  out.kind = name == "sl" ? swop::program_kind::sl : swop::program_kind::ml;
  return out;
}

fs::path part_folder(const swop_context& context, const swop::part_id& part) {
  return context.options.data_dir / "parts"
         / fmt::format("{}.{}.{}", part.run, part.assigned_block, part.attempt);
}

std::vector<fs::path> part_folders(const swop_context& context) {
  std::vector<fs::path> out;
  std::error_code failure;
  for (fs::directory_iterator at(context.options.data_dir / "parts", failure), end; !failure && at != end;
       at.increment(failure))
    out.push_back(at->path());
  return out;
}

} // namespace swarm::actors
