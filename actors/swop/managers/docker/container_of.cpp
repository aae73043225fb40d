#include "actors/swop/managers/docker/container_of.hpp"

#include "actors/swop/managers/process/spec_json.hpp"

#include <algorithm>
#include <csignal>

namespace swarm::managers {

namespace {

bool is_volume_name(std::string_view name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.'
           || c == '-';
  };
  return name.size() > 1 && name.size() <= 255 && std::ranges::all_of(name, is_plain) && name.front() != '.'
         && name.front() != '_' && name.front() != '-';
}

/// Engines tell 128 and the number of the signal for a program that a signal ended; so do shells of their children.
constexpr int signal_base = 128, signals_max = 64;

} // namespace

result<> check_container(const program_spec& spec) {
  if (!spec.container)
    return fail(manager_errc::bad_spec, "{}: has no image, and mgrtype DOCKER starts nothing else",
                spec.name);
  if (spec.container->image.empty()) return fail(manager_errc::bad_spec, "{}: names no image", spec.name);
  if (!spec.output.folder.empty())
    return fail(manager_errc::bad_spec, "{}: output of containers stays with their engine", spec.name);
  if (!spec.container->address.empty() && spec.container->network.empty())
    return fail(manager_errc::bad_spec, "{}: has the address {} in no network", spec.name,
                spec.container->address);
  // The rest are the rules of programs.
  auto plain = spec;
  plain.container.reset();
  plain.gpus.reset();
  plain.argv.insert(plain.argv.begin(), spec.container->entrypoint.begin(), spec.container->entrypoint.end());
  if (plain.argv.empty()) plain.argv = {"the image's own"};
  if (plain.working_directory.empty()) plain.working_directory = "/";
  for (auto& each : plain.mounts) {
    if (each.source.starts_with('/')) continue;
    if (!is_volume_name(each.source))
      return fail(manager_errc::bad_spec, "mounts: '{}' is neither an absolute path nor a volume's name",
                  each.source);
    each.source = "/volume";
  }
  if (auto good = check_spec(plain); !good) return fail(manager_errc::bad_spec, "{}", good.error().message);
  return {};
}

engine::container_wanted container_of(const program_spec& spec, const std::string& owner) {
  const auto& from = *spec.container;
  engine::container_wanted out{.image = from.image,
                               .entrypoint = from.entrypoint,
                               .command = spec.argv,
                               .environment = spec.environment,
                               .labels = from.labels,
                               .working_directory = spec.working_directory,
                               .user = fmt::format("{}:{}", spec.uid, spec.gid),
                               .host_name = spec.host_name,
                               .dns = spec.dns,
                               .network = from.network,
                               .address = from.address,
                               .ports = from.ports,
                               .memory_bytes = spec.limits.memory_bytes,
                               .cpu_percent = spec.limits.cpu_percent,
                               .processes = spec.limits.processes,
                               .shared_memory_bytes = spec.limits.shared_memory_bytes,
                               .scratch_bytes = spec.limits.scratch_bytes,
                               .log_bytes = spec.output.file_bytes,
                               .log_files = spec.output.files,
                               .options = from.options};
  for (const auto& each : spec.mounts)
    out.mounts.push_back({each.source, each.target, each.writable});
  const auto bound = [&](const char* name, const std::optional<std::uint64_t>& most) {
    if (most) out.uses.push_back({name, *most});
  };
  bound("cpu", spec.limits.cpu_seconds);
  bound("fsize", spec.limits.file_bytes);
  bound("nofile", spec.limits.open_files);
  out.labels[std::string(owner_label)] = owner;
  out.labels[std::string(program_label)] = spec.name;
  if (spec.run_time_max) out.labels[std::string(run_time_label)] = std::to_string(spec.run_time_max->count());
  return out;
}

std::optional<std::string> program_in(const engine::label_map& labels, const std::string& owner) {
  const auto whose = labels.find(std::string(owner_label));
  const auto name = labels.find(std::string(program_label));
  if (whose == labels.end() || whose->second != owner || name == labels.end()
      || !is_program_name(name->second))
    return std::nullopt;
  return name->second;
}

program program_of(const std::string& name, const engine::container_facts& facts,
                   const std::optional<ending_cause>& noted, bool is_starting) {
  program out{.name = name,
              .phase = program_phase::starting,
              .started_ms = facts.started_ms,
              .ended_ms = 0,
              .how = {}};
  if (is_starting && facts.started_ms == 0) return out;
  if (facts.started_ms == 0) {
    out.phase = program_phase::ended;
    out.how = ending{.cause = ending_cause::not_started, .message = facts.error};
    return out;
  }
  const auto& state = facts.state;
  if (state == "running" || state == "paused" || state == "restarting" || state == "stopping") {
    out.phase = program_phase::running;
    return out;
  }
  out.phase = program_phase::ended;
  out.ended_ms = facts.ended_ms;
  ending how{.cause =
                 noted.value_or(facts.out_of_memory ? ending_cause::out_of_memory : ending_cause::itself)};
  if (facts.exit_code > signal_base && facts.exit_code <= signal_base + signals_max)
    how.signal = facts.exit_code - signal_base;
  else
    how.exit_code = facts.exit_code;
  how.message = facts.error;
  if (how.signal == SIGKILL && how.cause == ending_cause::itself && facts.memory_bytes > 0)
    how.message = fmt::format("nobody here has killed it: it may have used more than its {} MiB of memory, "
                              "which not every engine tells",
                              facts.memory_bytes >> 20);
  out.how = std::move(how);
  return out;
}

} // namespace swarm::managers
