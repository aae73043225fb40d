#include "actors/swop/content/tree.hpp"

#include "actors/swop/content/errors.hpp"
#include "actors/swop/content/relative_path.hpp"
#include "base/file.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace swarm::content {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t copy_step_bytes = 16 << 20;

tl::unexpected<error> trouble(const fs::path& path, std::string_view done, int reason) {
  if (reason == ENOSPC || reason == EDQUOT)
    return fail(file_errc::no_room, "{}: there is no room on the disk; make room or choose another disk",
                shown(path.native()));
  return fail(file_errc::io, "{}: cannot be {}: {}", shown(path.native()), done, std::strerror(reason));
}

/// The names in a folder, taken before anything in it changes.
result<std::vector<fs::path>> entries_of(const fs::path& folder) {
  std::error_code problem;
  std::vector<fs::path> out;
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end; at.increment(problem))
    out.push_back(at->path());
  if (problem) return trouble(folder, "listed", problem.value());
  return out;
}

bool is_folder(const fs::path& path) {
  std::error_code problem;
  return fs::is_directory(fs::symlink_status(path, problem));
}

result<> copy_file(const fs::path& from, const fs::path& to, const std::stop_token& stop) {
  const unique_fd in(::open(from.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info {};
  if (!in || ::fstat(in.get(), &info) != 0) return trouble(from, "read", errno);
  const auto mode = (info.st_mode & 0100) != 0 ? 0755 : 0644;
  const unique_fd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!out) return trouble(to, "made", errno);
  for (;;) {
    if (stop.stop_requested()) return fail(content_errc::stopped, "stopped");
    auto count = ::copy_file_range(in.get(), nullptr, out.get(), nullptr, copy_step_bytes, 0);
    if (count < 0 && errno != EINTR && errno != ENOSPC) // not every file system has it
      count = ::sendfile(out.get(), in.get(), nullptr, copy_step_bytes);
    if (count == 0) return {};
    if (count < 0 && errno != EINTR) return trouble(to, "written", errno);
  }
}

result<> copy_entry(const fs::path& from, const fs::path& to, const std::stop_token& stop) {
  std::error_code problem;
  const auto status = fs::symlink_status(from, problem);
  if (fs::is_directory(status)) return copy_tree(from, to, stop);
  if (fs::is_regular_file(status)) return copy_file(from, to, stop);
  if (!fs::is_symlink(status))
    return fail(content_errc::unsafe_archive, "{}: is neither file, folder nor link", shown(from.native()));
  fs::copy_symlink(from, to, problem);
  if (problem) return trouble(to, "made", problem.value());
  return {};
}

} // namespace

bool is_there(const fs::path& path) {
  std::error_code problem;
  return fs::exists(fs::symlink_status(path, problem));
}

result<> remove_tree(const fs::path& what) {
  std::error_code problem;
  fs::remove_all(what, problem);
  if (problem) return trouble(what, "removed", problem.value());
  return {};
}

result<> move_tree_into(const fs::path& from, const fs::path& to) {
  if (!is_there(to)) return rename_file(from, to);
  if (!is_folder(to))
    return fail(content_errc::unsafe_archive, "{}: a folder cannot be put where a file or a link is",
                shown(to.native()));
  SWARM_TRY(const auto entries, entries_of(from));
  for (const auto& each : entries) {
    const auto place = to / each.filename();
    if (is_folder(each)) {
      SWARM_CHECK(move_tree_into(each, place));
    } else {
      SWARM_CHECK(rename_file(each, place));
    }
  }
  return {};
}

result<> copy_tree(const fs::path& from, const fs::path& to, const std::stop_token& stop) {
  if (::mkdir(to.c_str(), 0755) != 0) return trouble(to, "made", errno);
  SWARM_TRY(const auto entries, entries_of(from));
  for (const auto& each : entries)
    SWARM_CHECK(copy_entry(each, to / each.filename(), stop));
  return {};
}

result<> sync_file_system(const fs::path& folder) {
  const unique_fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::syncfs(fd.get()) != 0) return trouble(folder, "brought to disk", errno);
  return {};
}

} // namespace swarm::content
