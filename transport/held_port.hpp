#pragma once

#include "base/file.hpp"
#include "base/result.hpp"

namespace swarm::transport {

/// A free TCP port that stays this process's own: nobody is given it while `socket` is open, and a server of this
/// process can listen on it all the same, again and again.
struct held_port {
  unique_fd socket;
  std::uint16_t number = 0;
};

/// `address`: a numeric one, as a server is told to listen on.
result<held_port> hold_free_port(const std::string& address);

} // namespace swarm::transport
