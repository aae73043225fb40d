#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"

#include <algorithm>
#include <mutex>
#include <unordered_map>

namespace swarm::rpc {

/// The costs of work. A unit is about 20 microseconds of a thread.
namespace cost {
inline constexpr std::uint64_t request = 1;
inline constexpr std::uint64_t signature = 3;            ///< for each transaction that comes in
inline constexpr std::uint64_t proof = 4;                ///< for an account or a slot
inline constexpr std::uint64_t trie_nodes_per_unit = 16; ///< that are shown
inline constexpr std::uint64_t log_proof =
    40; ///< for a log, in a block with as many transactions as there are in most
inline constexpr std::uint64_t receipt_proof = 2;
inline constexpr std::uint64_t proved_txns_per_unit = 4; ///< of a block whose receipts are to be proved
inline constexpr std::uint64_t read_txn =
    2; ///< for each transaction of a block that is read, as its sender is recovered
inline constexpr std::uint64_t gas_per_unit = 4'000;
inline constexpr std::uint64_t logs_per_unit = 4;
inline constexpr std::uint64_t read_log_block = 3; ///< for each block that a query for logs reads
inline constexpr std::uint64_t index_seeks_per_unit = 4;
inline constexpr std::uint64_t nodes_per_unit = 8; ///< of the registry, listed
inline constexpr std::size_t body_bytes_per_unit = 2048;
inline constexpr std::size_t answer_bytes_per_unit = 4096;
} // namespace cost

/// How much work a client may ask for.
struct rate_limits {
  std::uint64_t units_per_second = 30'000;
  std::uint64_t burst = 300'000;  ///< saved up while idle
  std::size_t clients_max = 4096; ///< remembered; beyond this, clients with full buckets are forgotten first
};

/// A token bucket for each client, by the fingerprint of its certificate. Work is charged after it was done,
/// when its size is known. So a bucket may go below zero; its client is refused until it is above again. Any
/// thread may use it.
class rate_limiter {
public:
  explicit rate_limiter(rate_limits limits) : limits_(limits) {}

  /// How long the client has to wait, zero when it may ask now.
  duration wait_of(const hash32& client, time_point now) {
    const std::lock_guard lock(mutex_);
    const auto& own = refilled(client, now);
    if (own.units > 0) return duration::zero();
    const auto missing = static_cast<double>(1 - own.units);
    return std::chrono::duration_cast<duration>(
        std::chrono::duration<double>(missing / static_cast<double>(limits_.units_per_second)));
  }
  void charge(const hash32& client, std::uint64_t units, time_point now) {
    const std::lock_guard lock(mutex_);
    auto& own = refilled(client, now);
    own.units -= static_cast<std::int64_t>(std::min(units, limits_.burst)); // a second full bucket at most
  }
  std::size_t clients() const {
    const std::lock_guard lock(mutex_);
    return buckets_.size();
  }
  std::uint64_t units_per_second() const { return limits_.units_per_second; }

private:
  struct bucket {
    std::int64_t units = 0;
    time_point filled_at;
  };

  bucket& refilled(const hash32& client, time_point now) {
    const auto full = static_cast<std::int64_t>(limits_.burst);
    auto [at, is_new] = buckets_.try_emplace(client, bucket{full, now});
    if (is_new) {
      forget_full(client, now);
      return at->second;
    }
    refill(at->second, now);
    return at->second;
  }
  void refill(bucket& which, time_point now) const {
    const auto full = static_cast<std::int64_t>(limits_.burst);
    const auto seconds = std::chrono::duration<double>(now - which.filled_at).count();
    const auto earned = seconds * static_cast<double>(limits_.units_per_second);
    if (earned < 1) return; // or many small steps would earn nothing
    which.units = earned >= static_cast<double>(full - which.units)
                      ? full
                      : which.units + static_cast<std::int64_t>(earned);
    which.filled_at = now;
  }
  /// Forgets full buckets, which mean no more than none at all. If there are none, the emptiest buckets stay,
  /// as their clients are being limited.
  void forget_full(const hash32& except, time_point now) {
    if (buckets_.size() <= limits_.clients_max) return;
    auto fullest = buckets_.end();
    for (auto at = buckets_.begin(); at != buckets_.end(); ++at) {
      refill(at->second, now);
      if (at->first != except && (fullest == buckets_.end() || at->second.units > fullest->second.units))
        fullest = at;
    }
    if (fullest != buckets_.end()) buckets_.erase(fullest);
  }

  const rate_limits limits_;
  mutable std::mutex mutex_; ///< guards what follows
  std::unordered_map<hash32, bucket> buckets_;
};

} // namespace swarm::rpc
