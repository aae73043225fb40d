#include "actors/swop/content/extract/confined_folder.hpp"

#include "actors/swop/content/errors.hpp"
#include "actors/swop/content/relative_path.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace swarm::content {

namespace {

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

tl::unexpected<error> trouble(const std::vector<std::string>& path, int reason) {
  if (reason == ENOSPC || reason == EDQUOT)
    return fail(file_errc::no_room, "'{}' finds no room on the disk; make room or choose another disk",
                shown(join_path(path)));
  if (reason == ELOOP || reason == ENOTDIR)
    return fail(content_errc::unsafe_archive, "'{}' would be written through a link or a file",
                shown(join_path(path)));
  return fail(file_errc::io, "'{}' cannot be written: {}", shown(join_path(path)), std::strerror(reason));
}

} // namespace

result<confined_folder> confined_folder::open(std::filesystem::path path) {
  unique_fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail(file_errc::io, "{}: cannot be opened: {}", path.native(), std::strerror(errno));
  return confined_folder(std::move(path), std::move(fd));
}

result<unique_fd> confined_folder::walk(const std::vector<std::string>& path, std::size_t count,
                                        bool make) const {
  unique_fd at(::openat(fd_.get(), ".", folder_flags));
  if (!at) return trouble(path, errno);
  for (std::size_t i = 0; i < count; ++i) {
    const char* name = path[i].c_str();
    if (make && ::mkdirat(at.get(), name, 0755) != 0 && errno != EEXIST) return trouble(path, errno);
    unique_fd next(::openat(at.get(), name, folder_flags));
    if (!next) return trouble(path, errno);
    at = std::move(next);
  }
  return at;
}

result<unique_fd> confined_folder::place_for(const std::vector<std::string>& path) const {
  SWARM_TRY(auto folder, walk(path, path.size() - 1, true));
  if (::unlinkat(folder.get(), path.back().c_str(), 0) != 0 && errno != ENOENT && errno != EISDIR)
    return trouble(path, errno);
  return folder;
}

result<> confined_folder::make_folders(const std::vector<std::string>& path) const {
  SWARM_TRY(const auto made, walk(path, path.size(), true));
  std::ignore = made;
  return {};
}

result<unique_fd> confined_folder::make_file(const std::vector<std::string>& path, bool executable) const {
  SWARM_TRY(const auto folder, place_for(path));
  unique_fd out(::openat(folder.get(), path.back().c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, executable ? 0755 : 0644));
  if (!out) return trouble(path, errno);
  return out;
}

result<> confined_folder::make_symlink(const std::vector<std::string>& path,
                                       const std::string& target) const {
  SWARM_TRY(const auto folder, place_for(path));
  if (::symlinkat(target.c_str(), folder.get(), path.back().c_str()) != 0) return trouble(path, errno);
  return {};
}

result<std::uint64_t> confined_folder::make_hard_link(const std::vector<std::string>& path,
                                                      const std::vector<std::string>& existing) const {
  SWARM_TRY(const auto from, walk(existing, existing.size() - 1, false));
  struct stat info {};
  if (::fstatat(from.get(), existing.back().c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0
      || !S_ISREG(info.st_mode))
    return fail(content_errc::unsafe_archive,
                "'{}' is a second name of '{}', which is no file of the archive", shown(join_path(path)),
                shown(join_path(existing)));
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (path == existing) return size;
  SWARM_TRY(const auto folder, place_for(path));
  if (::linkat(from.get(), existing.back().c_str(), folder.get(), path.back().c_str(), 0) != 0)
    return trouble(path, errno);
  return size;
}

} // namespace swarm::content
