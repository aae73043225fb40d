#include "ledger/chain/chain_window.hpp"

namespace swarm::ledger {

std::shared_ptr<const chain_view> chain_window::view() const {
  const std::shared_lock lock(mutex_);
  return view_;
}

void chain_window::show(std::shared_ptr<const chain_view> newest) {
  const std::unique_lock lock(mutex_);
  view_.swap(newest); // the old view is destroyed after the lock is released
}

bool chain_window::waits(const hash32& txn) const {
  const std::shared_lock lock(mutex_);
  return pool_.find(txn) != nullptr;
}

std::optional<transaction> chain_window::find_pending(const hash32& hash) const {
  const std::shared_lock lock(mutex_);
  const auto* found = pool_.find(hash);
  return found == nullptr ? std::optional<transaction>{} : *found;
}

/// A view is shown before its transactions leave the pool, so none is overlooked as long as the account is
/// read in the newest view.
result<std::uint64_t> chain_window::pending_nonce(const address& account) const {
  for (;;) {
    const auto newest = view();
    SWARM_TRY(const auto stored, newest->account_of(account));
    const std::shared_lock lock(mutex_);
    if (view_ == newest) return pool_.next_nonce(account, stored.nonce);
  }
}

} // namespace swarm::ledger
