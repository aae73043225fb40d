#include "transport/ml_channel/fifo_pipes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace swarm::ml {

result<unique_fd> prepare_fifo(const std::string& path) {
  constexpr mode_t everybody = 0777;
  const bool made = ::mkfifo(path.c_str(), everybody) == 0;
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
  // The program usually runs as another user than the SL.
  if ((info.st_mode & everybody) != everybody) {
    const int failed =
        ::chmod(fmt::format("/proc/self/fd/{}", out.get()).c_str(), everybody) == 0 ? 0 : errno;
    if (failed != 0 && (made || ::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) != 0))
      return fail(errc::denied, "ML channel: the FIFO {} cannot be opened to all users: {}", path,
                  std::strerror(failed));
  }
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
