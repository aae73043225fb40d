#include "actors/supervision/service_notices.hpp"

#include "base/file.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace swarm::actors {

namespace {

/// A positive number, all of the variable's text; else zero.
std::int64_t number_in(const char* variable) {
  const auto* text = std::getenv(variable);
  if (text == nullptr) return 0;
  std::int64_t out = 0;
  const auto* const end = text + std::strlen(text);
  const auto [at, failed] = std::from_chars(text, end, out);
  return failed == std::errc{} && at == end && out > 0 ? out : 0;
}

} // namespace

service_notices::service_notices() {
  const auto* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr || (name[0] != '/' && name[0] != '@')) return;
  if (std::strlen(name) >= sizeof(sockaddr_un::sun_path)) return;
  address_ = name;
  if (address_.front() == '@') address_.front() = '\0';
  const auto whose = number_in("WATCHDOG_PID");
  if (whose == 0 || whose == ::getpid()) every_ = std::chrono::microseconds(number_in("WATCHDOG_USEC") / 2);
}

bool service_notices::tell(std::string_view lines) const {
  if (address_.empty()) return false;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  const unique_fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return socket
         && ::sendto(socket.get(), lines.data(), lines.size(), MSG_NOSIGNAL,
                     reinterpret_cast<const sockaddr*>(&to), size)
                == static_cast<ssize_t>(lines.size());
}

} // namespace swarm::actors
