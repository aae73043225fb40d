#include "transport/unix/unix_socket.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace swarm::transport {

unix_client::unix_client(int fd, std::filesystem::path path, std::size_t line_bytes_max)
    : fd_(fd), path_(std::move(path)), line_bytes_max_(line_bytes_max) {}

unix_client::~unix_client() {
  if (fd_ >= 0) close(fd_);
}

unix_client::unix_client(unix_client&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)),
      line_bytes_max_(other.line_bytes_max_), timeout_(other.timeout_), pending_(std::move(other.pending_)),
      searched_(std::exchange(other.searched_, 0)) {}

unix_client& unix_client::operator=(unix_client&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(line_bytes_max_, other.line_bytes_max_);
  std::swap(timeout_, other.timeout_);
  std::swap(pending_, other.pending_);
  std::swap(searched_, other.searched_);
  return *this;
}

result<unix_client> unix_client::open(const std::filesystem::path& path, std::size_t line_bytes_max) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path)
    return fail(net_errc::address, "{}: the path of a socket may have {} bytes at most", path.string(),
                sizeof address.sun_path - 1);
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return fail(net_errc::connect, "{}: no socket can be made: {}", path.string(), std::strerror(errno));
  unix_client made(fd, path, line_bytes_max);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return made;
  switch (errno) {
  case ENOENT:
    return fail(net_errc::connect, "{}: there is no such socket; is the process running?", path.string());
  case ECONNREFUSED:
    return fail(net_errc::connect, "{}: nobody serves this socket any more; the process has ended",
                path.string());
  case EACCES:
    return fail(net_errc::connect, "{}: only the user who runs the process may open this socket",
                path.string());
  default:
    return fail(net_errc::connect, "{}: cannot connect: {}", path.string(), std::strerror(errno));
  }
}

result<> unix_client::write_line(std::string_view line) {
  if (line.find('\n') != std::string_view::npos)
    return fail(errc::invalid, "a line must not contain a newline");
  std::string out(line);
  out.push_back('\n');
  for (std::string_view rest = out; !rest.empty();) {
    auto sent = send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
      return fail(net_errc::closed, "{}: the process closed the connection", path_.string());
    if (sent < 0) return fail(net_errc::lost, "{}: cannot send: {}", path_.string(), std::strerror(errno));
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

/// Waits for more bytes and appends them to what is pending.
result<> unix_client::receive() {
  pollfd waited{fd_, POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&waited, 1, timeout_.count() > 0 ? static_cast<int>(timeout_.count()) : -1);
  } while (ready < 0 && errno == EINTR);
  if (ready == 0)
    return fail(net_errc::timeout, "{}: no answer for {:g} s; the process is there but does not answer",
                path_.string(), std::chrono::duration<double>(timeout_).count());
  char piece[16 * 1024];
  auto got = recv(fd_, piece, sizeof piece, 0);
  if (got < 0 && errno == EINTR) return {};
  if (got == 0 || (got < 0 && errno == ECONNRESET))
    return fail(net_errc::closed, "{}: the process closed the connection", path_.string());
  if (got < 0) return fail(net_errc::lost, "{}: cannot receive: {}", path_.string(), std::strerror(errno));
  pending_.append(piece, static_cast<std::size_t>(got));
  return {};
}

result<std::string> unix_client::read_line() {
  for (;;) {
    auto end = pending_.find('\n', searched_);
    if (end != std::string::npos) {
      auto line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      searched_ = 0;
      return line;
    }
    searched_ = pending_.size();
    if (searched_ > line_bytes_max_)
      return fail(net_errc::limit, "{}: a line of more than {} bytes came", path_.string(), line_bytes_max_);
    SWARM_CHECK(receive());
  }
}

result<std::string> unix_client::request(std::string_view line) {
  SWARM_CHECK(write_line(line));
  return read_line();
}

result<> unix_client::read_lines(const std::function<bool(std::string_view)>& fn) {
  for (;;) {
    auto line = read_line();
    if (!line && line.error().is(net_errc::closed)) return {};
    if (!line) return tl::unexpected(std::move(line).error());
    if (!fn(*line)) return {};
  }
}

int unix_client::server_pid() const {
  ucred who{};
  socklen_t length = sizeof who;
  return getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0 ? who.pid : 0;
}

} // namespace swarm::transport
