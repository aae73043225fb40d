#pragma once

#include "transport/p2p/p2p_options.hpp"

#include <deque>
#include <memory>
#include <optional>

namespace swarm::p2p {

/// An encoded frame, or the bytes of a transaction: one copy for all neighbors.
using shared_bytes = std::shared_ptr<const bytes>;

/// What waits to be sent to one neighbor, the most urgent first: consensus, then control frames (hello, ping,
/// questions), the head, then gossip of transactions and bulk (answers with blocks or transactions) in turn.
/// When it is full, gossip is dropped first, then bulk, and never the rest.
class send_queue {
public:
  explicit send_queue(const session_options& options) : options_(options) {}

  /// Returns false when it does not fit although everything that may be dropped was dropped.
  [[nodiscard]] bool push_consensus(shared_bytes encoded);
  [[nodiscard]] bool push_control(shared_bytes encoded);
  /// Queues an answer with blocks or transactions. Returns false when it was dropped.
  bool push_bulk(shared_bytes encoded);
  /// Queues a transaction; older ones are dropped to make room.
  void push_txn(const hash32& hash, shared_bytes raw);
  /// Queues a hash. Unless it is `urgent` it is held back until `flush_hashes`, as the neighbor may hear of
  /// it from others meanwhile.
  void push_hash(const hash32& hash, bool urgent);
  void flush_hashes() { hashes_due_ = !hashes_.empty(); }
  /// Replaces a head that still waits.
  void set_head(const head_facts& now) { head_ = now; }
  /// Lets the waiting hashes go, except those that the neighbor knows by now.
  template <class Known>
  void forget_hashes(const Known& known) {
    gossip_bytes_ -= hash_cost * std::erase_if(hashes_, known);
    hashes_due_ = hashes_due_ && !hashes_.empty();
  }

  /// The next frame, or none when nothing waits or enough is under way. `in_flight` are the bytes handed to
  /// the socket and not yet written.
  shared_bytes take(std::size_t in_flight);
  /// Whether something waits that `take` will give once less is in flight.
  bool waiting() const;

  std::size_t queued_bytes() const { return frame_bytes_ + gossip_bytes_; }
  std::uint64_t gossip_dropped() const { return gossip_dropped_; }

private:
  static constexpr std::size_t hash_cost = 32;
  struct waiting_txn {
    hash32 hash;
    shared_bytes raw;
  };
  static std::size_t cost_of(const waiting_txn& each) { return each.raw->size() + hash_cost; }

  bool make_room(std::size_t size, bool drop_bulk);
  void keep_gossip_small();
  void drop_oldest_gossip();
  shared_bytes take_front(std::deque<shared_bytes>& from);
  shared_bytes take_gossip();
  bool gossip_waits() const { return !txns_.empty() || hashes_due_; }

  session_options options_;
  std::deque<shared_bytes> consensus_;
  std::deque<shared_bytes> control_;
  std::deque<shared_bytes> bulk_;
  std::optional<head_facts> head_;
  std::deque<waiting_txn> txns_;
  std::deque<hash32> hashes_;
  bool hashes_due_ = false;
  bool bulk_next_ = false; ///< transactions had their turn
  std::size_t frame_bytes_ = 0;
  std::size_t gossip_bytes_ = 0;
  std::uint64_t gossip_dropped_ = 0;
};

} // namespace swarm::p2p
