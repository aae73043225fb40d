#include "transport/proxies.hpp"

#include "transport/detail/asio.hpp"

namespace swarm::transport {

void use_proxies(io_runtime& io, proxy_rules rules) {
  io.internals().proxies = std::move(rules);
}

} // namespace swarm::transport
