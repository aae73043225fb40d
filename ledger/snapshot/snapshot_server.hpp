#pragma once

#include "base/clock.hpp"
#include "ledger/snapshot/chain_snapshots.hpp"
#include "ledger/sync/sync_machine.hpp"

#include <deque>
#include <map>

namespace swarm::sync {

struct server_options {
  std::uint64_t pivot_lag = 16;  ///< the pivot is so many blocks behind the head, at least
  std::uint64_t pivot_step = 16; ///< and a multiple of this, so that different nodes name the same one
  std::size_t kept_bytes_max = 8 * 1024 * 1024; ///< of proofs that were given, to be given again
};

/// Answers the questions of neighbors from a chain (snapshot_wire.hpp). Belongs to the chain's thread and lives
/// no longer than the chain.
class snapshot_server {
public:
  /// `change` is topic 0 of the log of a block that changes the validators.
  snapshot_server(ledger::chain& from, const hash32& change, const server_options& options = {})
      : chain_(from), snapshots_(from), change_(change), options_(options) {}

  /// In at most about `bytes_max` bytes. What is not here makes an empty answer. An error: the question is
  /// none that an honest node asks.
  result<bytes> answer(bytes_view question, std::size_t bytes_max);

  std::size_t kept_bytes() const { return kept_bytes_; }

private:
  class one_answer;
  struct proved {
    ledger::handover item;
    std::size_t size = 0; ///< encoded
  };
  /// Nothing that it shows ever changes, so it is proved once.
  result<const proved*> handover_at(std::uint64_t block_num);
  result<std::optional<std::uint64_t>> pivot_after(std::uint64_t after);

  ledger::chain& chain_;
  chain_snapshots snapshots_;
  hash32 change_;
  server_options options_;
  std::map<std::uint64_t, proved> kept_;
  std::deque<std::uint64_t> kept_order_; ///< the one kept longest is the first
  std::size_t kept_bytes_ = 0;
  std::map<std::uint64_t, std::uint64_t> pivots_; ///< the last ones, by the first block that would have done
};

/// The same for a single question.
result<bytes> answer_part(ledger::chain& from, const hash32& change, bytes_view question,
                          std::size_t bytes_max, const server_options& options = {});

struct pacer_options {
  double neighbor_share = 0.1;              ///< of the thread that answers, for one neighbor
  double all_share = 0.3;                   ///< for all of them
  duration saved = std::chrono::seconds(2); ///< so much unused time counts later
};

/// Bounds the time that neighbors take of the thread that answers them, whatever they ask: who has had his share
/// waits for his answer. Pure: time comes in.
class part_pacer {
public:
  explicit part_pacer(const pacer_options& options = {}) : options_(options) {}

  /// Zero: answer now, and say with `charge` what it took. Otherwise ask again after that.
  duration wait_of(neighbor_id neighbor, time_point now) const;
  void charge(neighbor_id neighbor, duration took, time_point now);
  std::size_t neighbors() const { return paid_until_.size(); }

private:
  void charge(time_point& account, duration took, double share, time_point now) const;

  pacer_options options_;
  time_point all_paid_until_{};
  std::map<neighbor_id, time_point> paid_until_;
};

} // namespace swarm::sync
