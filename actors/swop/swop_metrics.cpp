#include "actors/swop/swop_metrics.hpp"

#include "actors/metrics/series.hpp"

namespace swarm::actors {

swop_metrics::swop_metrics(metrics::registry& to, const std::string& node)
    : time_(to.gauge_of(metrics::task_time, {{"node", node}})) {
  for (const auto* state :
       {"idle", "enrolling", "running", "complete", "error"}) // as taskrunner_state has them
    states_.push_back(to.gauge_of(metrics::task_state, {{"node", node}, {"state", state}}));
}

void swop_metrics::show(contracts::taskrunner_state state) const {
  for (std::size_t i = 0; i < states_.size(); ++i)
    states_[i].set(static_cast<std::size_t>(state) == i ? 1 : 0);
}

void swop_metrics::look(const std::optional<swop::part_id>& part, time_point now) {
  if (part != part_) {
    part_ = part;
    since_ = now;
  }
  time_.set(part_ ? std::chrono::duration<double>(now - since_).count() : 0);
}

} // namespace swarm::actors
