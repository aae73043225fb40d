#pragma once

#include "ledger/sync/part_requests.hpp"
#include "ledger/sync/past_block.hpp"
#include "ledger/sync/snapshot_wire.hpp"
#include "ledger/sync/state_walk.hpp"

/// How a node that is far behind gets the state near the head without the blocks before it. First
/// several neighbors prove how the validators changed up to a pivot. Then the machine fetches the state
/// below the pivot's root from all who have it, and at last the pivot itself, which becomes the head. No
/// I/O, clock or threads.
namespace swarm::sync {

struct snapshot_options {
  std::size_t trust_peers = 3;                   ///< how many are asked for a pivot, if there are enough
  duration gather = std::chrono::seconds(3);     ///< how long to wait for more of them to turn up
  duration proof_wait = std::chrono::minutes(2); ///< after one proof, for the others that are under way
  std::size_t changes_max = 4096;                ///< of validators, on the way
  std::uint64_t pivot_distance_max = 256;        ///< from the head that a neighbor claimed when it was asked
  std::size_t nodes_asked = 384;                 ///< in one question
  std::size_t neighbor_requests = 2;             ///< to one neighbor at a time
  std::size_t batch_bytes = 1024 * 1024;         ///< stored at once, about
  std::size_t waiting_parts_max =
      50'000; ///< parts that wait for those below them; beyond this one question at a time is asked
  duration answer_wait = std::chrono::seconds(10); ///< then somebody else is asked
  duration rest = std::chrono::seconds(5);         ///< how long a neighbor that had nothing is not asked
  duration stall_wait = std::chrono::seconds(60);  ///< without progress: look for another pivot
};

namespace action {
/// Ask a neighbor; the answer goes to `on_part`.
struct ask_part {
  neighbor_id neighbor = 0;
  std::uint64_t tag = 0;
  question what;
};
/// Store all of it at once, then call `on_stored`, however long it takes.
struct store_state {
  ledger::state_batch batch;
};
/// The state below the pivot is stored. Make the pivot the head, then call `on_adopted`.
struct adopt_pivot {
  ledger::handover pivot;
  verified_block block;
  std::vector<ledger::handover> changes; ///< of validators, from the trusted block on
};
/// The neighbor is of no use for a snapshot. `lied` says that it sent what no honest node sends.
struct useless {
  neighbor_id neighbor = 0;
  bool lied = false;
  error why;
};
/// A line for the operator.
struct report {
  std::string text;
};
} // namespace action
using snapshot_action =
    std::variant<action::ask_part, action::store_state, action::adopt_pivot, action::useless, action::report>;

class snapshot_machine {
public:
  enum class phase { proving, fetching, arriving, adopting, done };

  snapshot_machine(const snapshot_options& options, const ledger::chain_identity& of,
                   ledger::trusted_block from, state_walk::presence stored, time_point now);

  /// To be told all neighbors whose heads are far ahead.
  void set_neighbors(std::span<const neighbor_claim> neighbors, time_point now);
  void on_part(neighbor_id neighbor, std::uint64_t tag, bytes_view answer, time_point now);
  void on_stored(time_point now);
  void on_adopted();
  void tick(time_point now);
  std::vector<snapshot_action> take_actions() { return std::exchange(actions_, {}); }

  /// Set when the store failed to say what is there: the snapshot cannot go on.
  const std::optional<error>& failure() const { return failure_; }
  phase now_in() const { return phase_; }
  std::uint64_t pivot_num() const { return pivot_ ? pivot_->header.block_num : 0; } ///< 0: not known yet
  std::uint64_t parts_done() const { return walk_ ? walk_->parts_done() : 0; }
  std::uint64_t bytes_done() const { return walk_ ? walk_->bytes_done() : 0; }
  std::size_t parts_waiting() const { return walk_ ? walk_->waiting() : 0; }
  std::size_t open_questions() const { return requests_.open(); }
  std::size_t neighbors() const { return requests_.neighbors(); }
  std::string status() const;

private:
  enum class subject { trust, state, pivot };
  struct about {
    subject what = subject::trust;
    std::vector<state_part> parts; ///< of the state
  };
  struct offer {
    ledger::handover pivot;
    ledger::block_header header;
    hash32 hash;
  };
  struct inquiry {
    ledger::trust_chain trust;
    std::uint64_t claim = 0; ///< when it was asked first
    std::vector<ledger::handover> changes;
    std::map<std::uint64_t, hash32> changed; ///< the hashes of blocks with changes, by number
    std::optional<offer> found;

    std::uint64_t proved_to() const { return found ? found->header.block_num : trust.reached(); }
  };

  void schedule(time_point now);
  void ask(neighbor_id neighbor, about what, question as, time_point now);
  void give_back(const std::vector<about>& questions);
  void give_up_on(neighbor_id neighbor, bool lied, error why);
  void note_blank(neighbor_id neighbor);
  void stalled(time_point now);
  void seek_pivot(time_point now);
  void on_proof(neighbor_id neighbor, bytes_view answer, time_point now);
  result<> take_proof(inquiry& with, trust_answer answer) const;
  static bool contradict(const inquiry& a, const inquiry& b);
  void choose(time_point now);
  bool contradictory() const;
  void start_over(std::string why, time_point now);
  void ask_for_state(time_point now);
  void on_state(const std::vector<state_part>& asked, neighbor_id neighbor, bytes_view answer,
                time_point now);
  void store_when_due();
  void ask_for_pivot(time_point now);
  void on_pivot(neighbor_id neighbor, bytes_view answer, time_point now);

  snapshot_options options_;
  ledger::chain_identity of_;
  ledger::trusted_block from_;
  state_walk::presence stored_;
  phase phase_ = phase::proving;
  part_requests<about> requests_;
  std::map<neighbor_id, inquiry> inquiries_;
  time_point gather_until_;
  time_point last_progress_;
  std::optional<time_point> first_proof_; ///< when it came
  std::optional<time_point> pause_until_; ///< after a contradiction
  std::optional<offer> pivot_;
  std::vector<ledger::handover> changes_;
  std::optional<state_walk> walk_;
  bool storing_ = false;
  std::map<neighbor_id, unsigned> blanks_; ///< how many times in a row it gave nothing, or nothing in time
  std::set<neighbor_id> helped_;           ///< those that gave something of this pivot's state
  std::optional<error> failure_;
  std::vector<snapshot_action> actions_;
};

} // namespace swarm::sync
