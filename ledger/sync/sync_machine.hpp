#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

/// How a node that is behind gets the blocks it lacks, without I/O, clock or threads: the shell feeds events
/// and carries out the actions in their order. Several neighbors are asked for ranges at once, which are
/// imported in order. What a neighbor says of its head is only a claim. When blocks do not come, or are
/// wrong, the claim no longer counts.
namespace swarm::sync {

/// A connection, named by the shell; never reused.
using neighbor_id = std::uint64_t;

/// A block as it travels: rlp[header, txns, ommers] and its seal record (ledger/formats/seal.hpp). Nothing of
/// it is verified.
struct sealed_block {
  bytes block;
  bytes seals;
  std::size_t size() const { return block.size() + seals.size(); }
};

/// What a neighbor says its head is.
struct neighbor_claim {
  neighbor_id neighbor = 0;
  std::uint64_t block_num = 0;
};

struct sync_options {
  std::uint64_t range_blocks = 128;                ///< asked for at once
  std::uint64_t window_blocks = 1024;              ///< asked for or waiting, beyond the head
  std::size_t window_bytes = 64 * 1024 * 1024;     ///< waiting to be imported
  std::size_t neighbor_requests = 2;               ///< to one neighbor at a time
  std::uint64_t import_blocks = 256;               ///< at most, in one `import_blocks` action
  duration answer_wait = std::chrono::seconds(10); ///< then somebody else is asked
  /// A neighbor that sends fewer blocks than it was asked for, and fewer bytes than this, counts as slow.
  std::size_t answer_bytes_min = 1024 * 1024;
  /// Close to the head a validator that keeps its answer back would hold up the others: after this time
  /// somebody else is asked for the block after the head as well.
  duration second_opinion_wait = std::chrono::milliseconds(300);
  std::uint64_t close_blocks = 8; ///< how far behind "close" is, at most
  std::uint64_t snapshot_gap = 0; ///< behind by more than this, a snapshot is wanted; 0: never
  /// The total time for which no blocks are asked for: the first while neighbors prove a pivot, the second
  /// while the state after a proved pivot that is far ahead is fetched. After that blocks are fetched beside
  /// the snapshot.
  duration snapshot_proof_wait = std::chrono::seconds(10);
  duration snapshot_state_wait = std::chrono::minutes(5);
  duration no_snapshot_wait = std::chrono::seconds(30); ///< then it is asked again; see `back_off`
};

namespace action {
/// Ask `neighbor` for blocks `first` to `first + count - 1`; it may send fewer, from `first` on.
struct ask_range {
  neighbor_id neighbor = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};
/// Verify these and import them on top of the head, which is block `first - 1`; then call `on_head`
/// or `on_import_failed`.
struct import_blocks {
  std::uint64_t first = 0;
  std::vector<std::shared_ptr<const sealed_block>> blocks;
};
/// `neighbor` sent what no honest node sends.
struct penalize {
  neighbor_id neighbor = 0;
  error why;
};
} // namespace action
using sync_action = std::variant<action::ask_range, action::import_blocks, action::penalize>;

class sync_machine {
public:
  sync_machine(sync_options options, std::uint64_t head_num) : options_(options), head_num_(head_num) {}

  /// A neighbor says that its head is `block_num`, when it connects or at any later time.
  void on_claim(neighbor_id neighbor, std::uint64_t block_num, time_point now);
  void on_neighbor_gone(neighbor_id neighbor, time_point now);
  /// Tells which node the neighbor is, so that one that was silent is recognised when it connects again.
  void on_identity(neighbor_id neighbor, const hash32& identity);
  /// The answer to `ask_range`; it is empty when the neighbor has none of the blocks.
  void on_blocks(neighbor_id neighbor, std::uint64_t first, std::vector<sealed_block> blocks, time_point now);
  /// The head is `head_num`, by an import or by consensus. `import_done`: this answers `import_blocks`.
  void on_head(std::uint64_t head_num, bool import_done, time_point now);
  /// Block `block_num` of the import under way was refused; those before it are in the chain. `blame` says
  /// that the block is at fault and not this node's disk.
  void on_import_failed(std::uint64_t block_num, bool blame, error why, time_point now);
  /// The neighbor can give no snapshot of what it claims.
  void on_no_snapshot(neighbor_id neighbor, time_point now);
  /// The proved pivot of the snapshot under way, or none. To be told at least whenever it changes.
  void on_pivot(std::optional<std::uint64_t> block_num, time_point now);
  /// A snapshot became the head.
  void on_snapshot_taken(time_point now);
  void tick(time_point now);

  std::vector<sync_action> take_actions();

  /// The highest head that a neighbor claims and has not denied since, or the own one.
  std::uint64_t target() const;
  bool behind() const { return target() > head_num_; }
  std::vector<neighbor_claim> claims() const;
  /// The claims of neighbors that are far ahead and may give a snapshot. While there are any, a snapshot is
  /// to be taken.
  std::vector<neighbor_claim> snapshot_claims() const;
  /// Whether no blocks are asked for because of a snapshot.
  bool paused() const { return pause_ != pause::none; }
  /// Blocks asked for or waiting to be imported.
  std::size_t waiting_blocks() const { return blocks_.size(); }
  std::size_t waiting_bytes() const { return waiting_bytes_; }
  /// Who is asked for what, for status and logs.
  std::string status(time_point now) const;

private:
  struct neighbor_state {
    std::uint64_t claim = 0;     ///< its head
    std::uint64_t has_until = 0; ///< the last block it may give: its head, unless it said that it lacks some
    std::size_t requests = 0;
    std::optional<time_point> rests_until; ///< it did not answer in time
    std::optional<hash32> identity;
  };
  /// A wait that doubles each time, up to an hour, and is forgotten after eight times as long
  /// without trouble.
  struct back_off {
    bool on = false;
    duration wait{};
    time_point since{};
    void begin(time_point now, duration first);
    void tick(time_point now);
    bool forgotten() const { return wait == duration{}; }
  };
  struct conduct {
    back_off slow;        ///< slow or silent: others are asked for blocks, if there are any
    back_off no_snapshot; ///< it is not asked for one
  };
  enum class pause : std::uint8_t { none, proof, state };
  struct request {
    neighbor_id neighbor = 0;
    std::uint64_t count = 0;
    time_point asked;
  };
  /// The import under way. It remembers who sent its blocks, since waiting blocks may be dropped and asked of
  /// somebody else meanwhile.
  struct import_job {
    std::uint64_t first = 0;
    std::vector<neighbor_id> from;
  };
  struct waiting_block {
    neighbor_id from = 0;
    std::shared_ptr<const sealed_block> content;
  };

  void schedule(time_point now);
  void look_at_pause(time_point now);
  static hash32 key_of(neighbor_id neighbor, const neighbor_state& state);
  conduct& conduct_of(neighbor_id neighbor);
  const conduct* known_conduct(neighbor_id neighbor, const neighbor_state& state) const;
  bool may_give_snapshot(neighbor_id neighbor, const neighbor_state& state) const;
  void ask_for_gaps(time_point now);
  void ask_another_for_next(time_point now);
  bool take_second_answer(neighbor_id neighbor, std::uint64_t first, std::vector<sealed_block>& blocks,
                          time_point now);
  void import_what_follows();
  std::optional<neighbor_id> neighbor_for(std::uint64_t block_num, time_point now,
                                          std::span<const neighbor_id> but = {}) const;
  /// The request that covers the block, or the end.
  std::map<std::uint64_t, request>::const_iterator request_for(std::uint64_t block_num) const;
  /// The first block from `from` on that is neither asked for nor waiting, and how many like it follow.
  std::pair<std::uint64_t, std::uint64_t> gap_from(std::uint64_t from, std::uint64_t end) const;
  /// The neighbor of this request has not answered in time.
  void pass_over(std::map<std::uint64_t, request>::const_iterator which, time_point now);
  void drop_request(std::map<std::uint64_t, request>::const_iterator which);
  /// Keeps a block, unless it is in the chain or waits already.
  void keep(std::uint64_t block_num, neighbor_id from, sealed_block block);
  void drop_block(std::map<std::uint64_t, waiting_block>::iterator which);
  /// The neighbor's claim or its blocks were wrong: it is asked nothing more until it makes a new claim.
  void distrust(neighbor_id neighbor);

  sync_options options_;
  std::uint64_t head_num_;
  std::map<neighbor_id, neighbor_state> neighbors_;
  std::map<hash32, conduct>
      conducts_; ///< by identity; a neighbor without one is known as long as it is connected
  std::optional<std::uint64_t> pivot_;
  pause pause_ = pause::none;
  time_point pause_seen_{};
  duration proof_waited_{}, state_waited_{};  ///< since the last snapshot that was taken
  std::map<std::uint64_t, request> requests_; ///< by first block; they do not overlap
  /// Those who were asked for block `first` besides the one in `requests_`, the last one last. They do not
  /// count as requests.
  struct second_opinions {
    std::uint64_t first = 0;
    std::vector<neighbor_id> asked;
    time_point last;
  };
  second_opinions second_;
  std::map<std::uint64_t, waiting_block> blocks_;
  std::size_t waiting_bytes_ = 0;
  std::optional<import_job> importing_;
  std::vector<sync_action> actions_;
};

} // namespace swarm::sync
