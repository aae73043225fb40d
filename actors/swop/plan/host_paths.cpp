#include "actors/swop/plan/host_paths.hpp"

#include "actors/swop/managers/docker/volumes/engine_volumes.hpp"

#include <algorithm>

namespace swarm::actors {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view usr_target = "/platform/swarm/usr";

bool lies_in(const fs::path& what, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), what.begin(), what.end()).first == folder.end();
}

/// Without "." and "..", and without a slash at the end.
fs::path without_end(const fs::path& path) {
  auto out = path.lexically_normal();
  return !out.has_filename() && out.has_relative_path() ? out.parent_path() : out;
}

} // namespace

host_paths::host_paths(const swop_context& context) : context_(context) {
  const auto allow = [&](const fs::path& path) {
    std::error_code failure;
    auto real = fs::canonical(path, failure);
    if (!failure) allowed_.push_back(std::move(real));
  };
  allow(context.options.usr_dir);
  allow(context.profile_folder);
  auto named = context.options.allow_paths;
  for (const auto& node : context.profile.nodes)
    if (node.data && node.data->type == tasks::mount_type::bind) named.emplace_back(node.data->source);
  for (const auto& each : named) {
    if (!context.own_mounts) {
      allow(each);
    } else if (const auto inside = context.own_mounts->inside(each)) {
      allow(*inside);
    } else {
      named_.push_back(without_end(each));
    }
  }
}

result<fs::path> host_paths::source_of(const tasks::mount& wanted, std::optional<std::uint16_t> node,
                                       said_by whom) const {
  if (wanted.type == tasks::mount_type::volume && context_.engine)
    return volume_of_engine(wanted.source, node, whom);
  if (wanted.type == tasks::mount_type::volume) {
    auto found = context_.volumes->find(wanted.source, node);
    // What no task has made is a claim of the cluster's.
    if (!found && context_.has_pods && is_named_volume(wanted.source)) return fs::path(wanted.source);
    if (!found) return fail(plan_errc::volume_missing, "{}", found.error().message);
    return *found;
  }
  if (context_.own_mounts && !lies_in(wanted.source, usr_target)
      && !context_.own_mounts->inside(without_end(wanted.source)))
    return path_elsewhere(wanted.source, whom);
  SWARM_TRY(const auto path, here(wanted.source, whom));
  return on_host(path);
}

result<fs::path> host_paths::here(const std::string& source, said_by whom) const {
  fs::path path = source;
  if (path.is_relative()) return fail(plan_errc::path_not_allowed, "'{}' is not an absolute path", source);
  if (lies_in(path, usr_target)) {
    path = context_.options.usr_dir / path.lexically_relative(usr_target);
  } else if (context_.own_mounts) {
    const auto inside = context_.own_mounts->inside(without_end(path));
    if (!inside)
      return fail(plan_errc::path_missing, "'{}' is in no mount of the SWOP's own container", source);
    path = *inside;
  }
  std::error_code failure;
  auto real = fs::canonical(path, failure);
  if (failure)
    return fail(plan_errc::path_missing, "'{}' is not there: {}", path.native(), failure.message());
  const bool allowed = whom == said_by::profile || std::ranges::any_of(allowed_, [&](const auto& each) {
                         return lies_in(real, each);
                       });
  if (!allowed)
    return fail(plan_errc::path_not_allowed,
                "the task may not use '{}': allow it with --allow-path {}, if that is meant", real.native(),
                real.native());
  return real;
}

result<fs::path> host_paths::on_host(const fs::path& here) const {
  if (!context_.own_mounts) return here;
  auto out = context_.own_mounts->on_host(here);
  if (!out)
    return fail(plan_errc::path_not_allowed, "'{}' is in the SWOP's own container only: mount what is there",
                here.native());
  return *out;
}

/// Of what this process cannot see, links neither: so a task may name what the operator named, and nothing below it,
/// where a program may have put a link to anywhere.
result<fs::path> host_paths::path_elsewhere(const fs::path& path, said_by whom) const {
  auto plain = without_end(path);
  if (plain.is_relative())
    return fail(plan_errc::path_not_allowed, "'{}' is not an absolute path", path.native());
  if (whom == said_by::profile || std::ranges::find(named_, plain) != named_.end()) return plain;
  return fail(plan_errc::path_not_allowed,
              "the task may not use '{}': allow it with --allow-path {}, if that is meant", plain.native(),
              plain.native());
}

/// By the operator: in the profile, or with --allow-volume.
bool host_paths::is_named_volume(const std::string& name) const {
  const auto& flag = context_.options.allow_volumes;
  return std::ranges::find(flag, name) != flag.end()
         || std::ranges::any_of(context_.profile.nodes, [&](const auto& each) {
              return each.data && each.data->type == tasks::mount_type::volume && each.data->source == name;
            });
}

result<fs::path> host_paths::volume_of_engine(const std::string& name, std::optional<std::uint16_t> node,
                                              said_by whom) const {
  auto found = engine::find_volume(*context_.engine, name, node);
  if (!found) {
    if (!found.error().is(engine::volume_errc::none)) return tl::unexpected(std::move(found).error());
    return fail(plan_errc::volume_missing, "{}", found.error().message);
  }
  if (whom == said_by::task && !is_named_volume(name) && name != "sl-cli-lib" && !found->made_by_task)
    return fail(plan_errc::path_not_allowed,
                "the task may not use the volume '{}', which no task has made: allow it with --allow-volume "
                "{}, if that "
                "is meant",
                name, name);
  return fs::path(found->name);
}

} // namespace swarm::actors
