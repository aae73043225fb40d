#pragma once

#include "base/random.hpp"
#include "tests/simulator/checker.hpp"
#include "tests/simulator/simulation.hpp"

#include <deque>
#include <memory>
#include <queue>

namespace swarm::simulator {

class sim_node;
class adversary;
class network;

/// A block with its seals as nodes give it to each other.
struct decided_block {
  consensus::proposed_block block;
  ledger::seal_record seals;
};

/// What travels between nodes besides the messages of consensus.
struct packet {
  enum class kind : std::uint8_t { consensus, work, head, want, block } what{};
  consensus::shared_bytes raw;                ///< consensus
  std::uint64_t block_num = 0;                ///< head: the sender's; want: the first wanted
  std::vector<std::uint64_t> work;            ///< work
  std::shared_ptr<const decided_block> block; ///< block
};

/// How bad the network and the machines are at present.
struct weather {
  double loss = 0;
  double duplication = 0;
  sim_time delay_min = millisecond;
  sim_time delay_max = 10 * millisecond;
  double slow_disk = 0;  ///< chance of a write that takes long
  double crash = 0;      ///< chance of a crash before each action
  std::vector<int> side; ///< by node: those of different sides do not hear each other
};

/// Clock, network and weather of one simulated network, all from one seed. Owns the nodes.
class world {
public:
  world(const simulation_options& options, const simulation_plan& plan);
  ~world();

  /// Runs to the end or to the first broken invariant.
  simulation_outcome run();

  // For nodes and adversary.
  sim_time now() const { return now_; }
  seeded_random& random() { return random_; }
  bool chance(double p) { return static_cast<double>(random_() >> 11) * 0x1p-53 < p; }
  sim_time between(sim_time low, sim_time high);
  void at(sim_time when, std::function<void()> what);
  void after(sim_time span, std::function<void()> what) { at(now_ + span, std::move(what)); }
  /// Into the network: may be lost, doubled, late, cut off.
  void transmit(std::size_t from, std::size_t to, packet what);
  const weather& air() const { return weather_; }
  const simulation_plan& plan() const { return plan_; }
  const simulation_options& options() const { return options_; }
  checker& check() { return checker_; }
  trace& log() { return trace_; }
  sim_node& node(std::size_t which) { return *nodes_[which]; }
  std::size_t node_count() const { return nodes_.size(); }
  adversary* liars() { return adversary_.get(); }
  simulation_outcome& counts() { return outcome_; }
  std::optional<std::size_t> node_of(const address& account) const;
  /// Decided blocks, for those who ask; the last some thousands.
  void archive(const consensus::proposed_block& block, const ledger::seal_record& seals);
  std::shared_ptr<const decided_block> archived(std::uint64_t block_num) const;

private:
  struct scheduled {
    sim_time when;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const scheduled& other) const { // a heap has its largest in front
      return when != other.when ? when > other.when : order > other.order;
    }
  };

  void run_until(sim_time end);
  void storm(sim_time end);
  void calm(sim_time end);
  void set_storm_weather();
  void heal();
  void offer_work();
  void offer_change();
  void crash_some(bool all);
  void restart_later(std::size_t which);
  void check_progress(std::uint64_t head_before, std::uint64_t work_before);
  std::vector<address> current_set() const;
  std::uint64_t highest_head() const;

  simulation_options options_;
  simulation_plan plan_;
  std::unique_ptr<network> network_;
  seeded_random random_;
  checker checker_;
  trace trace_;
  weather weather_;
  sim_time now_ = 0;
  std::uint64_t order_ = 0;
  std::vector<scheduled> queue_; ///< a heap
  std::vector<std::unique_ptr<sim_node>> nodes_;
  std::unique_ptr<adversary> adversary_;
  std::deque<std::shared_ptr<const decided_block>> archive_; ///< ascending
  std::uint64_t next_work_ = 0;
  std::uint64_t next_change_ = 1;
  simulation_outcome outcome_;
};

} // namespace swarm::simulator
