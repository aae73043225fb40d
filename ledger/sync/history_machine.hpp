#pragma once

#include "ledger/sync/part_requests.hpp"
#include "ledger/sync/snapshot_machine.hpp"

/// How a node that took a snapshot gets the blocks before it: from the youngest missing one downwards, each
/// known by its hash, and its seals by theirs, from the one above it. No I/O, clock or threads.
namespace swarm::sync {

struct history_options {
  std::uint64_t range_blocks = 64; ///< asked for at once
  std::size_t ranges = 3;          ///< asked for or waiting
  std::size_t waiting_bytes_max = 32 * 1024 * 1024;
  std::size_t neighbor_requests = 1;
  duration answer_wait = std::chrono::seconds(20);
  duration rest = std::chrono::seconds(5); ///< how long a neighbor that had nothing is not asked
};

namespace action {
/// Store these blocks and answer with `on_stored`. They go from `blocks.front()` downwards without a hole.
struct store_past {
  std::vector<verified_block> blocks;
};
} // namespace action
using history_action = std::variant<action::ask_part, action::store_past, action::useless>;

class history_machine {
public:
  /// `below`: the hash of this node's own block before the first missing one.
  history_machine(const history_options& options, std::uint64_t chain_id, const missing_range& what,
                  const hash32& below)
      : options_(options), chain_id_(chain_id), first_(what.first), next_(what.last),
        next_hash_(what.last_hash), next_seals_(what.last_seals), below_(below),
        requests_(options.neighbor_requests, options.answer_wait) {}

  void set_neighbors(std::span<const neighbor_claim> neighbors, time_point now);
  void on_part(neighbor_id neighbor, std::uint64_t tag, bytes_view answer, time_point now);
  void on_stored(time_point now);
  void tick(time_point now);
  std::vector<history_action> take_actions() { return std::exchange(actions_, {}); }

  /// Whether everything is stored.
  bool complete() const { return !storing_ && next_ < first_; }
  /// Set when the first missing block has a parent other than this node's own block: the parent's hash. Then
  /// the snapshot is of another chain, and the machine does nothing any more.
  const std::optional<hash32>& other_parent() const { return other_parent_; }
  std::uint64_t next() const { return next_; } ///< the block that comes next
  std::size_t open_questions() const { return requests_.open(); }
  std::size_t waiting_bytes() const { return waiting_bytes_; }

private:
  struct asked_range {
    std::uint64_t last = 0;
    std::uint64_t count = 0;
  };
  struct waiting_range {
    neighbor_id from = 0;
    std::vector<past_block> blocks;
    std::size_t size = 0;
  };

  void schedule(time_point now);
  void ask_for_gaps(time_point now);
  void store_what_follows();
  /// How many blocks from `last` downwards are asked for or have arrived.
  std::uint64_t covered(std::uint64_t last) const;
  void drop(std::map<std::uint64_t, waiting_range>::iterator which);
  void give_up_on(neighbor_id neighbor, bool lied, error why);

  history_options options_;
  std::uint64_t chain_id_;
  std::uint64_t first_;
  std::uint64_t next_;
  hash32 next_hash_;
  hash32 next_seals_;
  hash32 below_;
  std::optional<hash32> other_parent_;
  part_requests<asked_range> requests_;
  std::map<std::uint64_t, waiting_range> waiting_; ///< by their last block
  std::size_t waiting_bytes_ = 0;
  bool storing_ = false;
  std::vector<history_action> actions_;
};

} // namespace swarm::sync
