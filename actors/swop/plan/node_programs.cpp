#include "actors/swop/plan/node_programs.hpp"

#include <array>

namespace swarm::actors {

namespace fs = std::filesystem;

std::map<std::string, std::string> environment_of(const tasks::environment& from) {
  std::map<std::string, std::string> out;
  for (const auto& each : from)
    if (each.value) out[each.name] = *each.value;
  return out;
}

managers::program_limits limits_of(const tasks::resource_limits& from) {
  managers::program_limits out;
  out.memory_bytes = from.memory_bytes;
  if (from.cpus) out.cpu_percent = static_cast<std::uint64_t>(*from.cpus * 100);
  return out;
}

std::string target_of(const std::string& text) {
  auto path = fs::path(text).lexically_normal();
  if (!path.has_filename() && path.has_relative_path()) path = path.parent_path();
  return path.native();
}

void add_own_programs(managers::program_spec& to) {
  std::error_code failure;
  const auto self = fs::read_symlink("/proc/self/exe", failure);
  for (const auto* name : {"swarmd", "swarm-merge-worker"})
    if (const auto file = self.parent_path() / name; fs::exists(file, failure))
      to.mounts.push_back({file.native(), fmt::format("{}/{}", bin_target, name), false});
}

result<> add_identity(const tasks::identity_mount& part, const host_paths& paths,
                      managers::program_spec& to) {
  SWARM_TRY(const auto source, paths.source_of(part.where, {}, host_paths::said_by::profile));
  auto target = target_of(part.where.target);
  to.mounts.push_back({source.native(), target, false});
  if (part.sub_path) target = (fs::path(target) / *part.sub_path).native();
  constexpr std::array flags{"--key", "--cert", "--cacert", "--capath", "--socket-path"};
  to.argv.emplace_back(flags.at(static_cast<std::size_t>(part.part)));
  to.argv.push_back(target);
  return {};
}

} // namespace swarm::actors
