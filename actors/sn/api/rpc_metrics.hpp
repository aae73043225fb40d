#pragma once

#include "actors/metrics/registry.hpp"
#include "actors/sn/rpc/service.hpp"

#include <map>
#include <mutex>

namespace swarm::actors {

/// Counts and times requests by method, for /metrics. What is no method of this SN counts as "other", so that there are only
/// as many values as methods. One for each of /sn/rpc and /sn/reader, whose answers may come from any thread.
class request_metrics : public std::enable_shared_from_this<request_metrics> {
public:
  request_metrics(std::shared_ptr<void> owner, metrics::registry& to, std::string node)
      : owner_(std::move(owner)), to_(to), node_(std::move(node)) {}
  rpc::responder::watcher watcher();

private:
  struct values {
    metrics::counter ok, failed;
    metrics::histogram took;
  };
  const values& of(std::string_view method);

  std::shared_ptr<void> owner_; ///< of the registry
  metrics::registry& to_;
  const std::string node_;
  std::mutex mutex_; ///< guards what follows
  std::map<std::string, values, std::less<>> by_method_;
};

/// The rest of what /sn/rpc tells.
class rpc_metrics {
public:
  static constexpr std::size_t peers_max = 256; ///< of which their silence is shown
  rpc_metrics(metrics::registry& to, std::string node);
  void look(rpc::service& service, time_point now);

private:
  void show_silences(const std::vector<rpc::service::silence>& silences);

  metrics::registry& to_;
  const std::string node_;
  metrics::gauge subscriptions_, receipts_;
  using peer = std::pair<contracts::node_type, std::string>;
  std::map<peer, metrics::gauge> last_seen_;
};

} // namespace swarm::actors
