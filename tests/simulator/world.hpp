#pragma once

#include "base/random.hpp"
#include "ledger/sync/sync_machine.hpp"
#include "tests/simulator/checker.hpp"
#include "tests/simulator/simulation.hpp"

#include <deque>
#include <memory>

namespace swarm::simulator {

class sim_node;
class adversary;
class network;
class work_book;

using sealed_ptr = std::shared_ptr<const sync::sealed_block>;

/// What travels between nodes besides the messages of consensus.
struct packet {
  enum class kind : std::uint8_t { consensus, work, head, ask, blocks, ask_part, part } what{};
  consensus::shared_bytes raw;     ///< consensus, ask_part, part
  std::uint64_t block_num = 0;     ///< head: the sender's; ask, blocks: the first
  std::uint64_t count = 0;         ///< ask
  std::uint64_t tag = 0;           ///< ask_part, part
  std::vector<std::uint64_t> work; ///< work
  std::vector<sealed_ptr> blocks;  ///< blocks
};

/// How unreliable network and machines are at present.
struct weather {
  double loss = 0;
  double duplication = 0;
  sim_time delay_min = millisecond;
  sim_time delay_max = 10 * millisecond;
  double slow_disk = 0;   ///< chance of a write that takes long
  double crash = 0;       ///< chance of a crash before each action
  std::vector<int> side;  ///< by node: those of different sides do not hear each other
  std::vector<bool> deaf; ///< by node: hears nobody
};

/// Clock, network and nodes of one simulated network, all from one seed. A campaign or a script decides what
/// happens in it.
class world {
public:
  world(const simulation_options& options, const simulation_plan& plan);
  ~world();

  // The clock.
  sim_time now() const { return now_; }
  void at(sim_time when, std::function<void()> what);
  void after(sim_time span, std::function<void()> what) { at(now_ + span, std::move(what)); }
  /// Runs up to `end` or to the first broken invariant.
  void run_until(sim_time end);
  /// Runs the next event before `end`. Returns false when there is none or an invariant is broken.
  bool run_one(sim_time end);

  // Chance.
  seeded_random& random() { return random_; }
  bool chance(double p) { return static_cast<double>(random_() >> 11) * 0x1p-53 < p; }
  sim_time between(sim_time low, sim_time high);

  // The network.
  /// Sends a packet, which may be lost, doubled, late or cut off.
  void transmit(std::size_t from, std::size_t to, const packet& what);
  weather& air() { return weather_; }
  weather clear_sky() const;
  /// Asked about each packet before chance decides; false means that it is lost.
  using link_rule = std::function<bool(std::size_t from, std::size_t to, const packet& what)>;
  void set_link_rule(link_rule rule) { link_rule_ = std::move(rule); }
  void set_liars(adversary* liars) { liars_ = liars; }
  adversary* liars() { return liars_; }

  /// Called when an honest node can prove a double vote.
  using evidence_hook = std::function<void(std::size_t node, const consensus::evidence& found)>;
  void set_evidence_hook(evidence_hook hook) { evidence_hook_ = std::move(hook); }
  void tell_evidence(std::size_t node, const consensus::evidence& found) {
    if (evidence_hook_) evidence_hook_(node, found);
  }
  work_book& book();

  const simulation_plan& plan() const { return plan_; }
  const consensus::signing_domain& domain() const { return domain_; }
  const simulation_options& options() const { return options_; }
  checker& check() { return checker_; }
  trace& log() { return trace_; }
  sim_node& node(std::size_t which) { return *nodes_[which]; }
  std::size_t node_count() const { return nodes_.size(); }
  simulation_outcome& counts() { return outcome_; }
  std::optional<std::size_t> node_of(const address& account) const;
  std::uint64_t highest_head() const;
  /// Ends every life, which replays it, and returns the sums.
  simulation_outcome finish();

  /// Keeps a decided block for nodes that ask for it; only the last few thousands are kept.
  void archive(const consensus::proposed_block& block, const ledger::seal_record& seals);
  sealed_ptr archived(std::uint64_t block_num) const;
  std::size_t largest_block() const { return largest_block_; } ///< in bytes

private:
  struct scheduled {
    sim_time when;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const scheduled& other) const { // a heap has its largest in front
      return when != other.when ? when > other.when : order > other.order;
    }
  };

  simulation_options options_;
  simulation_plan plan_;
  std::unique_ptr<network> network_;
  consensus::signing_domain domain_;
  seeded_random random_;
  checker checker_;
  trace trace_;
  weather weather_;
  link_rule link_rule_;
  evidence_hook evidence_hook_;
  adversary* liars_ = nullptr;
  sim_time now_ = 0;
  std::uint64_t order_ = 0;
  std::vector<scheduled> queue_; ///< a heap
  std::vector<std::unique_ptr<sim_node>> nodes_;
  std::deque<sealed_ptr> archive_; ///< ascending, up to `archived_max_`
  std::uint64_t archived_max_ = 0;
  std::size_t largest_block_ = 0;
  simulation_outcome outcome_;
};

} // namespace swarm::simulator
