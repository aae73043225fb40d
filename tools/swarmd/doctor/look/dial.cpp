#include "tools/swarmd/doctor/look/dial.hpp"

#include "base/random.hpp"
#include "tools/swarmd/doctor/look/within.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

namespace swarm::doctor {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds resolve_max{4000};
constexpr std::size_t connections_looked_at = 8;
using nonce = std::array<std::uint8_t, 16>;

struct looked_up {
  int failed = 0;
  std::vector<socket_address> addresses;
};

looked_up look_up(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  looked_up out{::getaddrinfo(host.c_str(), port.c_str(), &hints, &found), {}};
  if (out.failed != 0) return out;
  for (const auto* each = found; each != nullptr; each = each->ai_next) {
    socket_address one{.what = {}, .size = each->ai_addrlen};
    std::memcpy(&one.what, each->ai_addr, each->ai_addrlen);
    out.addresses.push_back(one);
  }
  ::freeaddrinfo(found);
  return out;
}

bool ready(int fd, short what, std::chrono::milliseconds limit) {
  pollfd one{fd, what, 0};
  return ::poll(&one, 1, static_cast<int>(limit.count())) == 1;
}

bool holds(int fd, const nonce& wanted, std::chrono::milliseconds limit) {
  nonce got{};
  std::size_t size = 0;
  while (size < got.size() && ready(fd, POLLIN, limit)) {
    const auto count = ::read(fd, got.data() + size, got.size() - size);
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  return got == wanted;
}

/// The inodes of sockets that listen on this port, as one of the kernel's tables has them.
void add_listeners(std::set<std::string>& to, const fs::path& table, std::uint16_t port) {
  const auto text = read_file(table, 16 * 1024 * 1024, open_as::stream).value_or("");
  const auto wanted = fmt::format(":{:04X}", port);
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto row = text.substr(begin, end - begin);
    begin = end + 1;
    std::vector<std::string> words;
    for (std::size_t at = 0;
         (at = row.find_first_not_of(' ', at)) != std::string::npos && words.size() < 10;) {
      const auto stop = std::min(row.find(' ', at), row.size());
      words.push_back(row.substr(at, stop - at));
      at = stop;
    }
    if (words.size() >= 10 && words[1].ends_with(wanted) && words[3] == "0A") to.insert(words[9]);
  }
}

bool has_one_of(const fs::path& descriptors, const std::set<std::string>& inodes) {
  std::error_code failure;
  for (const auto& each : fs::directory_iterator(descriptors, failure)) {
    const auto link = fs::read_symlink(each.path(), failure).native();
    if (!failure && link.starts_with("socket:[") && inodes.contains(link.substr(8, link.size() - 9)))
      return true;
  }
  return false;
}

} // namespace

result<std::vector<socket_address>> resolve(const std::string& host, std::uint16_t port) {
  const auto found =
      within(resolve_max, [host, number = std::to_string(port)] { return look_up(host, number); });
  if (!found)
    return fail(errc::timeout, "the name {} is not resolved within {} s", host, resolve_max.count() / 1000);
  if (found->failed != 0)
    return fail(errc::not_found, "the name {} has no address: {}", host, ::gai_strerror(found->failed));
  return found->addresses;
}

bool is_loopback(const socket_address& of) {
  if (of.what.ss_family == AF_INET)
    return (ntohl(reinterpret_cast<const sockaddr_in&>(of.what).sin_addr.s_addr) >> 24) == 127;
  return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(of.what).sin6_addr);
}

result<unique_fd> listen_on(const std::string& address, std::uint16_t number) {
  SWARM_TRY(const auto where, resolve(address, number));
  const auto& at = where.front();
  unique_fd out(::socket(at.what.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int yes = 1;
  const int no = 0;
  ::setsockopt(out.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (at.what.ss_family == AF_INET6) ::setsockopt(out.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  if (!out || ::bind(out.get(), reinterpret_cast<const sockaddr*>(&at.what), at.size) != 0
      || ::listen(out.get(), 4) != 0)
    return fail(errno == EADDRINUSE ? errc::conflict : errc::io, "{}", std::strerror(errno));
  return out;
}

std::uint16_t port_of(const unique_fd& socket) {
  socket_address at;
  at.size = sizeof at.what;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&at.what), &at.size);
  return ntohs(at.what.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(at.what).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(at.what).sin_port);
}

result<unique_fd> dial(const std::vector<socket_address>& to, std::chrono::milliseconds limit) {
  std::string why = "no address";
  for (const auto& each : to) {
    unique_fd out(::socket(each.what.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    int failed = 0;
    if (::connect(out.get(), reinterpret_cast<const sockaddr*>(&each.what), each.size) != 0) failed = errno;
    if (failed == EINPROGRESS) {
      socklen_t size = sizeof failed;
      if (!ready(out.get(), POLLOUT, limit))
        failed = ETIMEDOUT;
      else
        ::getsockopt(out.get(), SOL_SOCKET, SO_ERROR, &failed, &size);
    }
    if (failed == 0) return out;
    why = std::strerror(failed);
  }
  return fail(errc::unavailable, "{}", why);
}

bool leads_to(const unique_fd& from, const unique_fd& listening, std::chrono::milliseconds limit) {
  nonce sent{};
  fill_random(sent);
  if (::write(from.get(), sent.data(), sent.size()) != static_cast<ssize_t>(sent.size())) return false;
  for (std::size_t i = 0; i < connections_looked_at && ready(listening.get(), POLLIN, limit); ++i) {
    const unique_fd came(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (came && holds(came.get(), sent, limit)) return true;
  }
  return false;
}

port_holder holder_of(std::uint16_t port) {
  std::set<std::string> inodes;
  add_listeners(inodes, "/proc/net/tcp", port);
  add_listeners(inodes, "/proc/net/tcp6", port);
  std::error_code failure;
  if (inodes.empty()) return {};
  for (const auto& each : fs::directory_iterator("/proc", failure)) {
    const auto number = each.path().filename().native();
    if (number.find_first_not_of("0123456789") != std::string::npos
        || !has_one_of(each.path() / "fd", inodes))
      continue;
    auto name = read_file(each.path() / "comm", 64).value_or("");
    return {std::stoi(number), name.substr(0, name.find('\n'))};
  }
  return {};
}

} // namespace swarm::doctor
