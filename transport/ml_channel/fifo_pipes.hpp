#pragma once

#include "base/result.hpp"

#include <string>
#include <utility>

/// FIFOs as files: making, opening, sizing. Private to this folder.
namespace swarm::ml {

class pipe_fd {
public:
  pipe_fd() = default;
  explicit pipe_fd(int fd) : fd_(fd) {}
  pipe_fd(pipe_fd&& from) noexcept : fd_(std::exchange(from.fd_, -1)) {}
  pipe_fd& operator=(pipe_fd&& from) noexcept {
    pipe_fd old(std::exchange(fd_, std::exchange(from.fd_, -1)));
    return *this;
  }
  ~pipe_fd();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

private:
  int fd_ = -1;
};

/// Makes the FIFO with mode 0777 whatever the umask, or takes the one that is there. The descriptor only
/// names it (O_PATH): what is opened later is this FIFO, whatever happens to the path.
result<pipe_fd> prepare_fifo(const std::string& path);

/// Opens the FIFO that `name` names; waits for the other side unless `flags` has O_NONBLOCK or is O_RDWR. An
/// errno as a negative descriptor on failure.
int open_fifo(const pipe_fd& name, int flags);

/// As much room in the pipe as the system allows, and no more waiting in read and write.
void tune_pipe(const pipe_fd& fd);

/// What F_SETPIPE_SZ may be asked for.
int pipe_size_max();

} // namespace swarm::ml
