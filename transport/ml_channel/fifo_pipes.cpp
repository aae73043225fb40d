#include "transport/ml_channel/fifo_pipes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace swarm::ml {

result<gid_t> find_group(std::string_view name) {
  const std::string text(name);
  gid_t number = 0;
  const auto* end = text.data() + text.size();
  if (const auto read = std::from_chars(text.data(), end, number); read.ec == std::errc() && read.ptr == end)
    return number;
  std::vector<char> room(16 * 1024);
  group entry{};
  group* found = nullptr;
  int failed = 0;
  while ((failed = ::getgrnam_r(text.c_str(), &entry, room.data(), room.size(), &found)) == ERANGE)
    room.resize(room.size() * 2);
  if (found == nullptr)
    return fail(errc::not_found, "ML channel: there is no group '{}' on this host{}", name,
                failed == 0 ? "" : fmt::format(" ({})", std::strerror(failed)));
  return found->gr_gid;
}

result<> set_rights(const std::string& path, const unique_fd& named, const struct stat& info,
                    const pipe_access& access) {
  const auto name = fmt::format("/proc/self/fd/{}", named.get());
  if (access.group && info.st_gid != *access.group
      && ::chown(name.c_str(), static_cast<uid_t>(-1), *access.group) != 0)
    return fail(errc::denied,
                "ML channel: {} cannot be given to the group {}: {}; the user that runs this must be "
                "in that group",
                path, *access.group, std::strerror(errno));
  const mode_t mode = access.everybody ? 0777 : 0660;
  if ((info.st_mode & 0777U) != mode && ::chmod(name.c_str(), mode) != 0)
    return fail(errc::denied, "ML channel: {} cannot get the mode {:04o}: {}", path, mode,
                std::strerror(errno));
  return {};
}

result<unique_fd> prepare_fifo(const std::string& path, const pipe_access& access) {
  const bool made = ::mkfifo(path.c_str(), 0600) == 0;
  if (!made && errno != EEXIST)
    return fail(errc::io,
                "ML channel: the FIFO {} cannot be made: {}; its directory must be there and writable", path,
                std::strerror(errno));
  unique_fd out(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!out || ::fstat(out.get(), &info) != 0)
    return fail(errc::io, "ML channel: {} cannot be examined: {}", path, std::strerror(errno));
  if (!S_ISFIFO(info.st_mode))
    return fail(errc::conflict, "ML channel: {} is there, but is no FIFO; remove it or choose another path",
                path);
  const bool is_ours = info.st_uid == ::geteuid();
  auto set = set_rights(path, out, info, access);
  if (!set && (is_ours || ::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) != 0))
    return tl::unexpected(std::move(set).error());
  return out;
}

int open_fifo(const unique_fd& name, int flags) {
  const auto path = fmt::format("/proc/self/fd/{}", name.get());
  while (true) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
    if (fd >= 0) return fd;
    if (errno != EINTR) return -errno;
  }
}

int pipe_size_max() {
  const auto text = read_file("/proc/sys/fs/pipe-max-size", 64);
  const int out = text ? std::atoi(text->c_str()) : 0;
  return out > 0 ? out : 1 << 20;
}

void tune_pipe(const unique_fd& fd) {
  // Tries smaller sizes, as the system refuses when this user holds many large pipes already; the
  // default suffices.
  for (int size = pipe_size_max(); size > 65536 && ::fcntl(fd.get(), F_SETPIPE_SZ, size) < 0;)
    size /= 2;
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

} // namespace swarm::ml
