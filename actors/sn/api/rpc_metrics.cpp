#include "actors/sn/api/rpc_metrics.hpp"

#include "actors/metrics/series.hpp"

#include <algorithm>

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

rpc_metrics::rpc_metrics(metrics::registry& to, std::string node)
    : to_(to), node_(std::move(node)), subscriptions_(to.gauge_of(metrics::subscriptions, {{"node", node_}})),
      receipts_(to.gauge_of(metrics::receipts_awaited, {{"node", node_}})) {}

void rpc_metrics::look(rpc::service& service, time_point now) {
  subscriptions_.set(static_cast<double>(service.subscriptions()));
  receipts_.set(static_cast<double>(service.waiting_for_receipts()));
  show_silences(service.silences(now, peers_max));
}

/// Of several with one name the one that is silent for longest counts. Who is no member any more has no value.
void rpc_metrics::show_silences(const std::vector<rpc::service::silence>& silences) {
  std::map<peer, duration> now;
  for (const auto& each : silences) {
    auto& lasts = now[{each.type, each.name}];
    lasts = std::max(lasts, each.lasts);
  }
  const auto labels_of = [&](const peer& which) {
    return metrics::labels{
        {"node", node_}, {"peer", which.second}, {"role", std::string(contracts::to_string(which.first))}};
  };
  std::erase_if(last_seen_, [&](const auto& each) {
    const bool is_gone = !now.contains(each.first);
    if (is_gone) to_.remove(labels_of(each.first));
    return is_gone;
  });
  for (const auto& [which, lasts] : now) {
    auto found = last_seen_.find(which);
    if (found == last_seen_.end())
      found = last_seen_.emplace(which, to_.gauge_of(metrics::peer_last_seen, labels_of(which))).first;
    found->second.set(std::chrono::duration<double>(lasts).count());
  }
}

} // namespace swarm::actors
