#include "transport/held_port.hpp"

#include "transport/errors.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace swarm::transport {

result<held_port> hold_free_port(const std::string& address) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int failed = ::getaddrinfo(address.c_str(), "0", &hints, &found); failed != 0)
    return fail(net_errc::address, "'{}' is no numeric IP address to listen on", address);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> at(found, &::freeaddrinfo);
  held_port out;
  out.socket = unique_fd(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Two sockets may share a port in this way as long as one of them does not listen, which this one never does.
  const int yes = 1;
  const int no = 0;
  ::setsockopt(out.socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (at->ai_family == AF_INET6)
    ::setsockopt(out.socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no); // as servers do
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (!out.socket || ::bind(out.socket.get(), at->ai_addr, at->ai_addrlen) != 0
      || ::getsockname(out.socket.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    return fail(net_errc::address, "no free port on {}: {}", address, std::strerror(errno));
  const auto port = bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                                : reinterpret_cast<const sockaddr_in&>(bound).sin_port;
  out.number = ntohs(port);
  return out;
}

} // namespace swarm::transport
