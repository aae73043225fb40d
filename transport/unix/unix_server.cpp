#include "base/log.hpp"
#include "transport/unix/detail/line_connection.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace swarm::transport {

namespace fs = std::filesystem;

namespace {

/// Who serves the socket file at the other end of a connected socket; 0 if the system does not tell.
int server_of(int fd) {
  ucred who{};
  socklen_t length = sizeof who;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0 ? who.pid : 0;
}

/// The id of the process that serves the socket file (0 if unknown), or nothing when the file is a left-over.
result<std::optional<int>> living_server(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return fail(net_errc::address, "{}: no socket can be made: {}", path.string(), std::strerror(errno));
  int failure = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  int pid = failure == 0 ? server_of(fd) : 0;
  close(fd);
  if (failure == 0 || failure == EAGAIN) return std::optional<int>(pid);
  if (failure == ECONNREFUSED || failure == ENOENT) return std::nullopt;
  return fail(net_errc::in_use, "{}: the socket file there cannot be tried: {}", path.string(),
              std::strerror(failure));
}

/// Removes a socket file that a former process left behind.
result<> clear_the_way(const fs::path& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode))
    return fail(net_errc::address,
                "{}: something that is no socket is in the way; move it or choose another path",
                path.string());
  SWARM_TRY(auto pid, living_server(path));
  if (pid)
    return fail(net_errc::in_use, "{}: is served by another process{}; stop it or choose another path",
                path.string(), *pid > 0 ? fmt::format(" (pid {})", *pid) : "");
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    return fail(net_errc::address, "{}: the left-over socket file cannot be removed: {}", path.string(),
                std::strerror(errno));
  return {};
}

} // namespace

result<> unix_server::impl::listen() {
  if (path.native().size() >= sizeof(sockaddr_un::sun_path))
    return fail(net_errc::address, "{}: the path of a socket may have {} bytes at most, this one has {}",
                path.string(), sizeof(sockaddr_un::sun_path) - 1, path.native().size());
  SWARM_CHECK(clear_the_way(path));
  error_code ec;
  acceptor.open(local(), ec);
  // On Linux the file gets the socket's own mode, so others can never open it, not even for a moment.
  if (!ec && fchmod(acceptor.native_handle(), S_IRUSR | S_IWUSR) != 0)
    ec = error_code(errno, boost::system::system_category());
  if (!ec) acceptor.bind(local::endpoint(path.native()), ec);
  if (ec == asio::error::address_in_use)
    return fail(net_errc::in_use, "{}: another process took the socket at the same moment", path.string());
  if (ec) return fail(net_errc::address, "{}: no socket can be made there: {}", path.string(), ec.message());
  struct stat info {};
  if (lstat(path.c_str(), &info) == 0) {
    device = info.st_dev;
    inode = info.st_ino;
  }
  if (chmod(path.c_str(), S_IRUSR | S_IWUSR) == 0)
    acceptor.listen(asio::socket_base::max_listen_connections, ec);
  else
    ec = error_code(errno, boost::system::system_category());
  if (ec) {
    remove_file();
    return fail(net_errc::address, "{}: cannot listen: {}", path.string(), ec.message());
  }
  begin("admin listener", shared_from_this());
  return {};
}

void unix_server::impl::admit(local::socket socket) {
  std::uint64_t id = 0;
  {
    std::lock_guard lock(mutex);
    if (connections.size() >= options.connections_max) return;
    id = next_id++;
    connections.emplace(id, std::weak_ptr<line_connection>{});
  }
  run(id, "admin connection", std::make_shared<line_connection>(shared_from_this(), id, std::move(socket)));
}

void unix_server::impl::leave(std::uint64_t id) {
  std::lock_guard lock(mutex);
  connections.erase(id);
  changed.notify_all();
}

void unix_server::impl::remove_file() {
  struct stat info {};
  if (inode != 0 && lstat(path.c_str(), &info) == 0 && info.st_dev == device && info.st_ino == inode)
    unlink(path.c_str());
  inode = 0;
}

void unix_server::impl::stop() {
  if (stopping.exchange(true)) return;
  remove_file();
  if (io.stopped()) return;
  stop_accepting(shared_from_this());
  for_all(&line_connection::kill);
  if (!io.on_io_thread()) wait_until_gone();
}

unix_server::unix_server(std::shared_ptr<impl> from) : impl_(std::move(from)) {}

unix_server::~unix_server() {
  stop();
}

result<std::unique_ptr<unix_server>> unix_server::start(io_runtime& io, fs::path path, handler on_line,
                                                        unix_server_options options) {
  auto made = std::make_shared<impl>(io, std::move(path), std::move(on_line), options);
  SWARM_CHECK(made->listen());
  return std::unique_ptr<unix_server>(new unix_server(std::move(made)));
}

void unix_server::stop() {
  impl_->stop();
}

} // namespace swarm::transport
