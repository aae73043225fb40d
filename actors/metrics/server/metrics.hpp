#pragma once

#include "actors/supervision/child_spec.hpp"
#include "base/endpoint.hpp"

#include <memory>

namespace swarm::transport {
class io_runtime;
class tls_identity;
} // namespace swarm::transport

namespace swarm::actors {

struct metrics_options {
  endpoint place;                                          ///< an IP address and a port; port 0: any free one
  transport::io_runtime* io = nullptr;                     ///< must outlive the actors
  std::shared_ptr<const transport::tls_identity> identity; ///< of the process's first role
  std::string version;
};

/// The `/metrics` actor: serves GET /metrics to Prometheus in its text format, without asking any actor, so that one which is
/// stuck delays nothing. From this host by plain HTTP or mutual TLS, from others by mutual TLS alone. A port that is taken
/// ends the process at its start. Auxiliary: it does not keep the process alive.
child_spec metrics_child(metrics_options options);

} // namespace swarm::actors
