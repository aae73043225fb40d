#pragma once

#include "transport/proxy/proxy.hpp"

namespace swarm::transport {

class io_runtime;

/// From now on what is dialled on this runtime goes by these rules. To be called before anything is dialled.
void use_proxies(io_runtime& io, proxy_rules rules);

} // namespace swarm::transport
