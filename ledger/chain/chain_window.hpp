#pragma once

#include "ledger/chain/chain_view.hpp"
#include "ledger/chain/mempool.hpp"

#include <shared_mutex>

namespace swarm::ledger {

/// What others than a chain's own thread see of it: its newest view, and what waits for a block. For any thread,
/// which gets it as const from chain::window, and may keep it when the chain has ended. Only the chain changes it.
class chain_window {
public:
  explicit chain_window(pool_limits limits) : pool_(limits) {}

  /// Of the newest block that is on disk. The chain shows it before it tells anybody of that block.
  std::shared_ptr<const chain_view> view() const;
  bool waits(const hash32& txn) const;
  /// A transaction that waits; none: it does not.
  std::optional<transaction> find_pending(const hash32& hash) const;
  /// The nonce for `account`'s next transaction, after those that wait without a gap.
  result<std::uint64_t> pending_nonce(const address& account) const;

  // For the chain
  void show(std::shared_ptr<const chain_view> newest);
  /// Changes the pool; what `show` showed before is seen with the change.
  template <class Change>
  auto change(Change&& how) {
    const std::unique_lock lock(mutex_);
    return how(pool_);
  }
  /// For the thread that changes it.
  const mempool& pool() const { return pool_; }

private:
  mutable std::shared_mutex mutex_;
  std::shared_ptr<const chain_view> view_;
  mempool pool_;
};

} // namespace swarm::ledger
