#pragma once

#include "actors/metrics/registry.hpp"
#include "actors/supervision/directory.hpp"

#include <set>

namespace swarm::metrics {

/// The kind of actor: the path without what tells apart actors that come and go, as rounds, tasks, connections and contexts.
/// So there are only as many as there are parts of the program.
std::string kind_of(std::string_view path);

/// What the probes of a process's actors say, summed up for each kind. Reading them waits for no actor.
class actor_metrics {
public:
  explicit actor_metrics(registry& to) : to_(to) {}
  void read(const actors::directory& from);

private:
  registry& to_;
  std::set<std::string> seen_; ///< kinds; one that is gone counts as 0
};

} // namespace swarm::metrics
