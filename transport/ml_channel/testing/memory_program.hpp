#pragma once

#include "base/bytes.hpp"
#include "base/file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// What a program does that shares its memory, and what a bad one does.
namespace swarm::ml::testing {

/// A memfd of `size` bytes with `content` at its beginning.
inline unique_fd make_memory(std::uint64_t size, bytes_view content = {}) {
  unique_fd out(::memfd_create("model", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(out);
  REQUIRE(::ftruncate(out.get(), static_cast<off_t>(size)) == 0);
  REQUIRE(::pwrite(out.get(), content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()));
  return out;
}

inline unique_fd again(const unique_fd& fd) {
  return unique_fd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
}

/// Sends `text` with these descriptors to the socket `path`; 0 or errno.
inline int send_memory(const std::string& path, std::string_view text, const std::vector<int>& fds) {
  const unique_fd from(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const unique_fd folder(::open(std::filesystem::path(path).parent_path().c_str(), O_PATH | O_CLOEXEC));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto place =
      fmt::format("/proc/self/fd/{}/{}", folder.get(), std::filesystem::path(path).filename().native());
  place.copy(address.sun_path, sizeof(address.sun_path) - 1);
  iovec what{const_cast<char*>(text.data()), text.size()};
  std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = sizeof(address);
  message.msg_iov = &what;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(head), fds.data(), fds.size() * sizeof(int));
  }
  return ::sendmsg(from.get(), &message, 0) < 0 ? errno : 0;
}

/// Descriptors that this process has open.
inline std::size_t open_descriptors() {
  std::size_t out = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd"))
    ++out;
  return out;
}

} // namespace swarm::ml::testing
