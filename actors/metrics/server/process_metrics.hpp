#pragma once

#include "actors/metrics/registry.hpp"

namespace swarm::metrics {

/// What Linux says of this process, under the names that Prometheus's own libraries use.
class process_metrics {
public:
  process_metrics(registry& to, const std::string& version);
  void read();

private:
  counter cpu_;
  gauge resident_, virtual_, fds_, threads_;
};

} // namespace swarm::metrics
