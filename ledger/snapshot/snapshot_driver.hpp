#pragma once

#include "ledger/snapshot/chain_snapshots.hpp"
#include "ledger/sync/history_machine.hpp"
#include "ledger/sync/snapshot_machine.hpp"

#include <memory>

namespace swarm::sync {

struct driver_options {
  snapshot_options snapshot;
  history_options history;
};

/// What there is to tell of a snapshot under way, or of the history after it.
struct snapshot_status {
  std::string phase; ///< "none", "proving", "fetching", "adopting", "history", "complete"
  std::uint64_t pivot = 0;
  std::uint64_t nodes = 0;
  std::uint64_t node_bytes = 0;
  std::size_t nodes_waiting = 0;
  std::size_t open_questions = 0;
  std::size_t neighbors = 0;
  std::uint64_t blocks_skipped = 0;
  std::uint64_t blocks_missing = 0;
  std::string trouble;
};

/// Runs the machines of a snapshot and of the history after it on a chain: stores what they want stored, and
/// hands on what they want of others. Belongs to the chain's thread. A disk that refuses is asked again at
/// every tick.
class snapshot_driver {
public:
  snapshot_driver(ledger::chain& on, driver_options options)
      : chain_(on), snapshots_(on), options_(std::move(options)) {}

  /// All connected neighbors, regularly. `candidates`: those that are so far ahead that a snapshot is wanted of
  /// them; none: nothing is to be done, or blocks one after the other will do.
  void set_neighbors(const std::vector<neighbor_claim>& all, const std::vector<neighbor_claim>& candidates,
                     time_point now);
  void on_part(neighbor_id neighbor, std::uint64_t tag, bytes_view answer, time_point now);
  void tick(time_point now);

  struct outcome {
    std::vector<action::ask_part> asks;
    std::vector<action::useless> useless; ///< for a snapshot
    std::vector<action::useless> liars;   ///< about history
    std::vector<std::string> reports;
    ledger::block_ptr adopted;   ///< the head, since then
    std::optional<error> broken; ///< the store: this node has to stop
    std::optional<error> fork;   ///< the snapshot was of another chain: this node must not go on at all
  };
  outcome take() { return std::exchange(out_, {}); }

  /// A snapshot is being taken, or looked for.
  bool active() const { return snapshot_ != nullptr; }
  /// The one that is being taken; none: there is none that is proved.
  std::optional<std::uint64_t> proved_pivot() const;
  snapshot_status status() const;
  /// One line; empty when there is nothing to say.
  std::string status_line() const;

private:
  void begin_snapshot(const std::vector<neighbor_claim>& candidates, time_point now);
  void begin_history();
  result<hash32> own_hash(std::uint64_t block_num) const;
  void report_fork(const hash32& parent);
  void run(time_point now);
  bool run_snapshot(time_point now);
  bool run_history(time_point now);
  bool store(const action::store_state& what, time_point now);
  bool store(const action::adopt_pivot& what, time_point now);
  bool store(const action::store_past& what, time_point now);
  /// False: it is to be tried again.
  bool settle(const error& why);
  void end_snapshot();

  ledger::chain& chain_;
  chain_snapshots snapshots_;
  driver_options options_;
  std::unique_ptr<snapshot_machine> snapshot_;
  std::unique_ptr<history_machine> history_;
  std::uint64_t serial_ = 0; ///< of the machine, in the upper half of its tags: answers to another do not fit
  std::uint64_t snapshot_serial_ = 0, history_serial_ = 0;
  std::optional<std::variant<action::store_state, action::adopt_pivot, action::store_past>> unwritten_;
  std::string trouble_;
  std::string history_trouble_;     ///< why what came could not be stored, as it was reported
  std::uint64_t history_first_ = 0; ///< the first block that it fetches
  std::size_t history_neighbors_ = 0;
  outcome out_;
};

} // namespace swarm::sync
