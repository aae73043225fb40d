#pragma once

#include "tests/simulator/simulation.hpp"

namespace swarm::simulator {

/// One organisation of four lies, with all of its 20 SNs and 1,000 keys; the others have some SNs each, and SLs that send
/// transactions all the time.
struct siege_options {
  std::uint64_t seed = 1;
  sim_time length = 40 * second;
  bool attack = true;         ///< otherwise it is honest, for comparison
  std::size_t honest_sns = 1; ///< of each of the three
  faulty_rule planted = faulty_rule::none;
  std::size_t trace_lines = 300;
};

struct siege_outcome {
  simulation_outcome course;
  std::vector<sim_time> finality; ///< of the honest SLs' transactions, sorted
  sim_time quiet_p99 = 0;         ///< finality_p99 of the same network without an attack
  sim_time longest_stop = 0;      ///< between two blocks, while such a transaction waits
  std::size_t seats_max = 0;      ///< that the attackers had at a time
  std::size_t seats_lost = 0;     ///< for double votes
  std::size_t keys = 0;           ///< that the attackers registered
  std::size_t nodes = 0;          ///< of them members at the end
  std::uint64_t bytes = 0;        ///< of the attackers on the chain, this day
  std::size_t pool_bytes_max = 0; ///< of an honest node
  bool ok() const { return course.ok(); }
  /// The time within which 99 of 100 transactions were final.
  sim_time finality_p99() const;
};

siege_outcome run_siege(const siege_options& options);

/// An attack and the same network without one. Fails when a rule on organisations is broken, when the network stops for
/// longer than a round change, or when the others' transactions take more than four times as long.
siege_outcome compare_siege(const siege_options& options);

} // namespace swarm::simulator
