#pragma once

#include "ledger/chain/chain_view.hpp"
#include "ledger/chain/mempool.hpp"

#include <shared_mutex>

namespace swarm::ledger {

/// What threads other than a chain's own see of it: its newest view, and what waits for a block. They get it
/// as const from chain::window and may keep it after the chain has ended. Only the chain changes it.
class chain_window {
public:
  explicit chain_window(pool_limits limits) : pool_(limits) {}

  /// The view of the newest block on disk. The chain shows it before it tells anybody of that block.
  std::shared_ptr<const chain_view> view() const;
  bool waits(const hash32& txn) const;
  /// The waiting transaction with this hash, if there is one.
  std::optional<transaction> find_pending(const hash32& hash) const;
  /// The nonce for `account`'s next transaction, after those that wait without a gap.
  result<std::uint64_t> pending_nonce(const address& account) const;

  // For the chain
  void show(std::shared_ptr<const chain_view> newest);
  /// Changes the pool. Whoever sees the change also sees the view that was shown before it.
  template <class Change>
  auto change(Change&& how) {
    const std::unique_lock lock(mutex_);
    return how(pool_);
  }
  /// Only for the thread that changes the pool.
  const mempool& pool() const { return pool_; }

private:
  mutable std::shared_mutex mutex_;
  std::shared_ptr<const chain_view> view_;
  mempool pool_;
};

} // namespace swarm::ledger
