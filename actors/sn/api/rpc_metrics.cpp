#include "actors/sn/api/rpc_metrics.hpp"

#include "actors/metrics/series.hpp"

namespace swarm::actors {

rpc::responder::watcher request_metrics::watcher() {
  return [self = shared_from_this()](std::string_view method) {
    const auto& to = self->of(rpc::service::knows(method) ? method : "other");
    return [self, &to, since = std::chrono::steady_clock::now()](bool ok) {
      (ok ? to.ok : to.failed).add();
      to.took.observe(std::chrono::steady_clock::now() - since);
    };
  };
}

const request_metrics::values& request_metrics::of(std::string_view method) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_method_.find(method); found != by_method_.end()) return found->second;
  const std::string name(method);
  const auto count = [&](const char* outcome) {
    return to_.counter_of(metrics::rpc_requests, {{"node", node_}, {"method", name}, {"outcome", outcome}});
  };
  return by_method_
      .emplace(name, values{count("ok"), count("error"),
                            to_.histogram_of(metrics::rpc_time, {{"node", node_}, {"method", name}})})
      .first->second;
}

rpc_metrics::rpc_metrics(metrics::registry& to, const std::string& node)
    : subscriptions_(to.gauge_of(metrics::subscriptions, {{"node", node}})),
      receipts_(to.gauge_of(metrics::receipts_awaited, {{"node", node}})) {}

void rpc_metrics::look(const rpc::service& service) const {
  subscriptions_.set(static_cast<double>(service.subscriptions()));
  receipts_.set(static_cast<double>(service.waiting_for_receipts()));
}

} // namespace swarm::actors
