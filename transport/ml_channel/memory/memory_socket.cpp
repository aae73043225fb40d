#include "transport/ml_channel/memory/memory_socket.hpp"

#include "transport/ml_channel/fifo_pipes.hpp"
#include "transport/ml_channel/wire.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

namespace swarm::ml {

namespace {

constexpr std::size_t text_max = 512;
/// More than the system queues at one socket, so that this ends even if others go on sending.
constexpr int datagrams_max = 4096;

struct datagram {
  std::string text;
  unique_fd fd; ///< of nothing, when not exactly one came
};

/// The next datagram, if one is there.
std::optional<datagram> receive(int socket) {
  std::array<char, text_max> text;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))>
      control; // the system closes what has no room here
  iovec into{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &into;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t count = -1;
  do {
    count = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return std::nullopt;
  datagram out;
  out.text.assign(text.data(), static_cast<std::size_t>(count));
  const auto* head = CMSG_FIRSTHDR(&message);
  if (head == nullptr || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) return out;
  std::vector<unique_fd> fds; // as the room is rounded up, there may be two
  for (std::size_t at = 0; at + sizeof(int) <= head->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(head) + at, sizeof(fd));
    fds.emplace_back(fd);
  }
  if (fds.size() == 1 && (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) == 0) out.fd = std::move(fds[0]);
  return out;
}

/// The inode of a socket of this name; 0 when there is nothing.
result<ino_t> existing_socket(const unique_fd& folder, const std::string& name, const std::string& path) {
  struct stat info {};
  if (::fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return ino_t{0};
  if (!S_ISSOCK(info.st_mode))
    return fail(errc::conflict, "ML channel: {} is there, but is no socket; remove it", path);
  return info.st_ino;
}

/// Binds by way of the folder's descriptor, as a socket's path may have only 107 bytes.
bool bind_in(const unique_fd& folder, const std::string& name, int socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = fmt::format("/proc/self/fd/{}/{}", folder.get(), name);
  if (path.size() >= sizeof(address.sun_path)) {
    errno = ENAMETOOLONG;
    return false;
  }
  path.copy(address.sun_path, path.size());
  return ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

} // namespace

result<memory_socket> memory_socket::make(const std::string& path, const pipe_access& access) {
  const std::filesystem::path place(path);
  memory_socket out;
  out.name_ = place.filename().native();
  const auto parent = place.has_parent_path() ? place.parent_path().native() : std::string(".");
  out.folder_ = unique_fd(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!out.folder_) return fail(errc::io, "ML channel: {}: {}", parent, std::strerror(errno));
  SWARM_TRY(const auto former, existing_socket(out.folder_, out.name_, path));
  if (former != 0) ::unlinkat(out.folder_.get(), out.name_.c_str(), 0);
  out.socket_ = unique_fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!out.socket_ || !bind_in(out.folder_, out.name_, out.socket_.get()))
    return fail(errc::io, "ML channel: the socket {} cannot be made: {}", path, std::strerror(errno));
  const unique_fd named(::openat(out.folder_.get(), out.name_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!named || ::fstat(named.get(), &info) != 0 || !S_ISSOCK(info.st_mode))
    return fail(errc::io, "ML channel: the socket {} was removed", path);
  out.inode_ = info.st_ino;
  SWARM_CHECK(set_rights(path, named, info, access));
  return out;
}

memory_socket::~memory_socket() {
  if (!socket_) return;
  const auto there = existing_socket(folder_, name_, name_);
  if (there && *there == inode_) ::unlinkat(folder_.get(), name_.c_str(), 0);
}

result<program_memory> memory_socket::take(std::string_view session, std::int32_t region) const {
  const auto wanted = fmt::format("{} {}", session, region);
  std::optional<unique_fd> found;
  for (int i = 0; i < datagrams_max; ++i) {
    auto next = receive(socket_.get());
    if (!next) break;
    if (next->text == wanted) found = std::move(next->fd);
  }
  if (!found)
    return fail(wire_errc::bad_memory, "the program named its memory {}, which it has not sent", region);
  return program_memory::take(std::move(*found));
}

void memory_socket::drop_all() const {
  for (int i = 0; i < datagrams_max && receive(socket_.get()); ++i) {
  }
}

} // namespace swarm::ml
