#pragma once

#include "base/file.hpp"
#include "base/result.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

/// Sockets without TLS, for looking at ports.
namespace swarm::doctor {

struct socket_address {
  sockaddr_storage what{};
  socklen_t size = 0;
};

/// The addresses of a name or literal, within a few seconds.
result<std::vector<socket_address>> resolve(const std::string& host, std::uint16_t port);
bool is_loopback(const socket_address& of);

/// A socket that listens as a server of ours would; `number` 0: on any port. Fails with errc::conflict when the port is
/// taken.
result<unique_fd> listen_on(const std::string& address, std::uint16_t number);
std::uint16_t port_of(const unique_fd& socket);
/// The first address that takes the connection.
result<unique_fd> dial(const std::vector<socket_address>& to, std::chrono::milliseconds limit);
/// Whether what is written to `from` comes out of a connection to `listening`.
bool leads_to(const unique_fd& from, const unique_fd& listening, std::chrono::milliseconds limit);

struct port_holder {
  int process = 0;
  std::string name;
};
/// Who listens on a port of this host; process 0: this user cannot see.
port_holder holder_of(std::uint16_t port);

} // namespace swarm::doctor
