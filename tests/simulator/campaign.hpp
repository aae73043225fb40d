#pragma once

#include "tests/simulator/world.hpp"

namespace swarm::simulator {

/// The course of one network, which follows from its seed: storms in which everything may go wrong, each
/// followed by a calm in which all work must be done and everybody must catch up.
class campaign {
public:
  campaign(const simulation_options& options, const simulation_plan& plan);
  ~campaign();

  /// Runs to the end or to the first broken invariant.
  simulation_outcome run();

private:
  void start();
  void offer_work();
  void offer_change();
  void storm(sim_time end);
  void set_storm_weather();
  void crash_some(bool all);
  void restart_later(std::size_t which);
  void calm(sim_time end);
  void heal();
  void check_rounds();
  void check_progress(std::uint64_t head_before, std::uint64_t work_before);

  world world_;
  std::unique_ptr<adversary> liars_;
  std::uint64_t next_work_ = 0;
  std::uint64_t next_change_ = 1;
};

} // namespace swarm::simulator
