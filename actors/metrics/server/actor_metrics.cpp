#include "actors/metrics/server/actor_metrics.hpp"

#include "actors/metrics/series.hpp"

#include <array>

namespace swarm::metrics {

namespace {

constexpr std::uint64_t stuck_ns = 1'000'000'000;

struct sums {
  double restarts = 0;
  double mailbox = 0;
  bool stuck = false;
};

} // namespace

std::string kind_of(std::string_view path) {
  std::string out;
  bool of_connection = false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    auto part = path.substr(0, end);
    path.remove_prefix(end);
    if (const auto colon = part.find(':'); colon != part.npos) part = part.substr(0, colon); // leader:3.0
    if (of_connection && part != "hub") part = "neighbor";
    of_connection = part == "peers";
    if (out == "/swci" && part.starts_with("sn-")) part = "sn";
    out += '/';
    out += part;
  }
  return out;
}

void actor_metrics::read(const actors::directory& from) {
  std::map<std::string, sums> now;
  for (const auto& kind : seen_)
    now[kind];
  for (const auto& status : from.list()) {
    auto& sum = now[kind_of(status.path)];
    sum.restarts += static_cast<double>(status.restarts);
    sum.mailbox += static_cast<double>(status.mailbox);
    sum.stuck = sum.stuck || status.current_ns >= stuck_ns;
  }
  for (const auto& [kind, sum] : now) {
    const labels which{{"actor", kind}};
    to_.counter_of(actor_restarts, which).grow_to(sum.restarts);
    to_.gauge_of(mailbox, which).set(sum.mailbox);
    to_.gauge_of(actor_stuck, which).set(sum.stuck ? 1 : 0);
    seen_.insert(kind);
  }
}

} // namespace swarm::metrics
