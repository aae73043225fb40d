#pragma once

#include "ledger/consensus/block_facts.hpp"

#include <map>
#include <tuple>

namespace swarm::consensus {

struct park_limits {
  std::uint64_t heights_ahead_max = 10;
  std::size_t neighbor_messages_max = 1024;
  std::size_t neighbor_bytes_max = 12 * 1024 * 1024;
  std::size_t total_bytes_max = 64 * 1024 * 1024;
};

/// Messages that came too early. They are not verified, and each neighbor has a share of its own, so one
/// that floods only loses its own messages. When the room is used up, the messages farthest ahead are
/// dropped first.
class message_park {
public:
  explicit message_park(park_limits limits) : limits_(limits) {}

  struct parked {
    std::uint64_t neighbor = 0;
    shared_bytes raw;
  };

  void add(std::uint64_t neighbor, std::uint64_t block_num, std::uint64_t round_num, shared_bytes raw);
  /// Takes out everything of a height up to a round, by neighbor and then by round and arrival.
  std::vector<parked> take(std::uint64_t block_num, std::uint64_t round_num_max);
  /// Forgets what is below a height.
  void drop_below(std::uint64_t block_num);
  void drop_neighbor(std::uint64_t neighbor);

  std::size_t message_count() const { return count_; }
  std::size_t byte_count() const { return bytes_; }

private:
  using place = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>; ///< height, round, arrival
  struct lot {
    std::map<place, shared_bytes> messages;
    std::size_t bytes = 0;
  };
  void drop(lot& from, std::map<place, shared_bytes>::iterator at);
  void drop_farthest_of_largest();

  park_limits limits_;
  std::map<std::uint64_t, lot> lots_;
  std::uint64_t arrivals_ = 0;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

} // namespace swarm::consensus
