#pragma once

#include "transport/p2p/hash_set.hpp"
#include "transport/p2p/send_queue.hpp"

#include <deque>
#include <map>
#include <span>
#include <unordered_map>

namespace swarm::p2p {

/// Remembers hashes seen lately, each for at least `span`, as long as no more than half of `count_max` come
/// in that time.
class recent_hashes {
public:
  recent_hashes(std::size_t count_max, duration span) : half_(count_max / 2), span_(span) {}

  /// Returns true when the hash was not there.
  bool insert(const hash32& hash, time_point now);
  bool contains(const hash32& hash) const { return young_.contains(hash) || old_.contains(hash); }
  std::size_t size() const { return young_.size() + old_.size(); }

private:
  std::size_t half_;
  duration span_;
  std::optional<time_point> turned_;
  hash_set young_;
  hash_set old_;
};

/// What all connections share about transactions: those heard of lately, so that each is handed on
/// once; the bytes of those that this node accepted, for neighbors that heard only the hash; and who
/// was asked for which.
class txn_relay {
public:
  using neighbor_id = sync::neighbor_id;
  /// Whom to ask for what.
  using questions = std::map<neighbor_id, std::vector<hash32>>;

  txn_relay(std::size_t cached_bytes_max, std::size_t known_max, duration known_for)
      : cached_bytes_max_(cached_bytes_max), seen_(known_max, known_for) {}

  /// A neighbor sent the transaction. Returns true when nobody else did lately.
  bool arrived(const hash32& hash, time_point now);
  /// This node accepted the transaction. Returns true when it came from no neighbor, so it starts here.
  bool accepted(const hash32& hash, shared_bytes raw, time_point now);
  /// The bytes of an accepted transaction, or null.
  shared_bytes find(const hash32& hash) const;

  /// `neighbor` can give these. Returns those to ask it for; for the others somebody is asked already.
  std::vector<hash32> announced(neighbor_id neighbor, std::span<const hash32> hashes);
  /// `neighbor` was asked for these and does not give them. Returns others to ask.
  questions missed(neighbor_id neighbor, std::span<const hash32> hashes);
  questions neighbor_gone(neighbor_id neighbor);

  std::size_t cached_bytes() const { return cached_bytes_; }
  std::size_t wanted() const { return wanted_.size(); }

private:
  static constexpr std::size_t others_max = 4;
  struct want {
    neighbor_id asked = 0;
    std::vector<neighbor_id> others;
  };
  void ask_other(std::map<hash32, want>::iterator which, questions& out);

  std::size_t cached_bytes_max_;
  std::size_t cached_bytes_ = 0;
  recent_hashes seen_;
  std::unordered_map<hash32, shared_bytes, secret_hash> cached_;
  std::deque<hash32> cached_order_; ///< the oldest first
  std::map<hash32, want> wanted_;
};

} // namespace swarm::p2p
