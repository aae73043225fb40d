// The user folder, and waiting.
#include "actors/swci/commands/groups.hpp"
#include "actors/swci/commands/host_files.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace swarm::swci {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t files_max = 10'000;

bool lies_in(const fs::path& what, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), what.begin(), what.end()).first == folder.end();
}

result<fs::path> confined(const user_folder& folder, const fs::path& what, std::string_view inside) {
  std::error_code failure;
  auto real = fs::canonical(what, failure);
  if (failure) return fail(errc::not_found, "{}: {}", user_folder::shown(inside), failure.message());
  const auto root = fs::canonical(folder.on_host(""), failure);
  if (failure || !lies_in(real, root))
    return fail(errc::denied, "{}: a link leads out of {}", user_folder::shown(inside),
                user_folder::shown_root);
  return real;
}

std::string rights_of(fs::perms rights) {
  std::string out = "rwxrwxrwx";
  for (unsigned i = 0; i < out.size(); ++i)
    if ((static_cast<unsigned>(rights) >> (8 - i) & 1) == 0) out[i] = '-';
  return out;
}

answers::files::row row_of(const fs::directory_entry& entry, std::string name) {
  std::error_code ignored;
  answers::files::row out;
  out.name = std::move(name);
  out.is_folder = entry.is_directory(ignored);
  if (entry.is_regular_file(ignored)) out.size = entry.file_size(ignored);
  out.rights = rights_of(entry.status(ignored).permissions());
  const auto changed = entry.last_write_time(ignored);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::file_clock::to_sys(changed).time_since_epoch());
  out.changed = {static_cast<std::uint64_t>(std::max<std::int64_t>(0, seconds.count()))};
  return out;
}

} // namespace

result<fs::path> existing_inside(const user_folder& folder, std::string_view inside) {
  return confined(folder, folder.on_host(inside), inside);
}

result<fs::path> new_inside(const user_folder& folder, std::string_view inside) {
  const fs::path wanted = folder.on_host(inside);
  std::error_code failure;
  if (fs::is_symlink(fs::symlink_status(wanted, failure)))
    return fail(errc::denied, "{} is a link: nothing is written through it", user_folder::shown(inside));
  SWARM_TRY(const auto parent, confined(folder, wanted.parent_path(), inside));
  return parent / wanted.filename();
}

bool command_world::pause(std::chrono::milliseconds time) const {
  std::mutex mutex;
  std::condition_variable_any ended;
  std::unique_lock lock(mutex);
  ended.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

outcome run(const commands::sleep_for& what, command_world& world) {
  if (!world.pause(what.time)) return fail(errc::cancelled, "the pause was ended");
  return std::optional<answer>{};
}

outcome run(const commands::change_folder& what, command_world& world) {
  SWARM_TRY(const auto real, existing_inside(world.folder, what.folder));
  std::error_code failure;
  if (!fs::is_directory(real, failure))
    return fail(errc::not_found, "{} is no folder", user_folder::shown(what.folder));
  return std::optional<answer>{};
}

outcome run(const commands::list_files& what, command_world& world) {
  answers::files out;
  out.in_detail = what.options.find('l') != std::string::npos;
  const bool all = what.options.find('a') != std::string::npos;
  for (const auto& path : what.paths.empty() ? std::vector<std::string>{""} : what.paths) {
    SWARM_TRY(const auto real, existing_inside(world.folder, path));
    std::error_code failure;
    if (!fs::is_directory(real, failure)) {
      out.all.push_back(row_of(fs::directory_entry(real, failure), real.filename().native()));
      continue;
    }
    for (fs::directory_iterator at(real, failure), end; !failure && at != end; at.increment(failure)) {
      auto name = at->path().filename().native();
      if (!all && name.starts_with('.')) continue;
      if (out.all.size() >= files_max) return fail(errc::limit, "more than {} files", files_max);
      out.all.push_back(row_of(*at, std::move(name)));
    }
    if (failure) return fail(errc::io, "{}: {}", user_folder::shown(path), failure.message());
  }
  std::ranges::sort(out.all, {}, &answers::files::row::name);
  return out;
}

} // namespace swarm::swci
