#pragma once

#include "actors/metrics/registry.hpp"
#include "actors/swop/task/task_machine.hpp"
#include "base/clock.hpp"
#include "contracts/taskrunner/client.hpp"

#include <optional>
#include <vector>

namespace swarm::actors {

/// What a SWOP tells /metrics (actors/metrics/series.hpp).
class swop_metrics {
public:
  swop_metrics(metrics::registry& to, const std::string& node);
  /// Of its taskrunner.
  void show(contracts::taskrunner_state state) const;
  /// Of its part in the present task, from time to time.
  void look(const std::optional<swop::part_id>& part, time_point now);

private:
  std::vector<metrics::gauge> states_; ///< one for each
  metrics::gauge time_;
  std::optional<swop::part_id> part_;
  time_point since_{};
};

} // namespace swarm::actors
