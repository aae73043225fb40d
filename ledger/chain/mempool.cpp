#include "ledger/chain/mempool.hpp"

#include "base/assert.hpp"
#include "ledger/state/execute.hpp"

namespace swarm::ledger {

namespace {
/// Bytes a waiting transaction takes besides its own, estimated.
constexpr std::size_t entry_overhead = 512;

std::size_t size_of(const transaction& txn) {
  return entry_overhead + 2 * txn.raw().size();
}
} // namespace

result<> mempool::add(transaction txn, std::uint64_t account_nonce) {
  if (by_hash_.contains(txn.hash()))
    return fail(pool_errc::already_known, "already known: transaction {} waits for a block",
                to_hex(txn.hash().view()));
  SWARM_CHECK(check_sender(txn, account_nonce));
  SWARM_CHECK(make_room(txn, account_nonce));
  auto sender = txn.sender();
  auto& queue = senders_[sender];
  take_ready(queue);
  queue.account_nonce = account_nonce;
  byte_count_ += size_of(txn);
  auto hash = txn.hash();
  auto nonce = txn.fields().nonce;
  auto at = queue.by_nonce.emplace(nonce, waiting{std::move(txn), arrivals_++}).first;
  by_hash_.emplace(hash, &at->second.txn);
  put_ready(sender, queue);
  return {};
}

result<> mempool::check_sender(const transaction& txn, std::uint64_t account_nonce) const {
  auto nonce = txn.fields().nonce;
  if (nonce < account_nonce)
    return fail(execution_errc::nonce_too_low, "nonce too low: account {} is at {}, transaction has {}",
                to_hex(txn.sender().view()), account_nonce, nonce);
  if (nonce - account_nonce > limits_.nonce_gap_max)
    return fail(pool_errc::nonce_gap,
                "nonce too high: account {} is at {}, transaction has {}, at most {} ahead",
                to_hex(txn.sender().view()), account_nonce, nonce, limits_.nonce_gap_max);
  auto found = senders_.find(txn.sender());
  if (found == senders_.end()) return {};
  if (found->second.by_nonce.contains(nonce))
    return fail(
        pool_errc::replacement,
        "replacement transaction underpriced: another transaction of account {} with nonce {} waits, and gas "
        "has no price here",
        to_hex(txn.sender().view()), nonce);
  if (found->second.by_nonce.size() >= limits_.sender_txns_max)
    return fail(pool_errc::sender_full, "too many transactions: {} of account {} wait already",
                limits_.sender_txns_max, to_hex(txn.sender().view()));
  return {};
}

/// Refuses when the pool is full. But a transaction that can be executed displaces one that waits for a
/// missing nonce, so that nobody can block the pool with transactions that lead nowhere.
result<> mempool::make_room(const transaction& txn, std::uint64_t account_nonce) {
  auto fits = [&] {
    return by_hash_.size() < limits_.txns_max && byte_count_ + size_of(txn) <= limits_.bytes_max;
  };
  bool executable = txn.fields().nonce == next_nonce(txn.sender(), account_nonce);
  while (!fits()) {
    if (executable && drop_youngest_gapped()) continue;
    return fail(pool_errc::pool_full,
                "txpool is full: {} transactions, {} bytes wait; try again after the next block",
                by_hash_.size(), byte_count_);
  }
  return {};
}

bool mempool::drop_youngest_gapped() {
  auto worst = senders_.end();
  std::uint64_t youngest = 0;
  for (auto sender = senders_.begin(); sender != senders_.end(); ++sender) {
    const auto& last = *sender->second.by_nonce.rbegin();
    if (next_nonce(sender->first, sender->second.account_nonce) > last.first) continue;
    if (worst != senders_.end() && last.second.arrival < youngest) continue;
    worst = sender;
    youngest = last.second.arrival;
  }
  if (worst == senders_.end()) return false;
  erase(worst->second, std::prev(worst->second.by_nonce.end()));
  drop_if_empty(worst);
  return true;
}

void mempool::advance(const address& sender, std::uint64_t account_nonce) {
  auto found = senders_.find(sender);
  if (found == senders_.end()) return;
  auto& queue = found->second;
  take_ready(queue);
  queue.account_nonce = account_nonce;
  while (!queue.by_nonce.empty() && queue.by_nonce.begin()->first < account_nonce)
    erase(queue, queue.by_nonce.begin());
  put_ready(sender, queue);
  drop_if_empty(found);
}

std::vector<address> mempool::senders() const {
  std::vector<address> out;
  for (const auto& [sender, queue] : senders_)
    out.push_back(sender);
  return out;
}

void mempool::remove(const hash32& hash) {
  auto known = by_hash_.find(hash);
  if (known == by_hash_.end()) return;
  auto sender = senders_.find(known->second->sender());
  SWARM_ASSERT(sender != senders_.end());
  auto& queue = sender->second;
  take_ready(queue);
  erase(queue, queue.by_nonce.find(known->second->fields().nonce));
  put_ready(sender->first, queue);
  drop_if_empty(sender);
}

std::vector<const transaction*> mempool::executable(std::size_t count_max) const {
  // Two sources by arrival: the first transactions of senders, and those that follow one already taken.
  using place = std::pair<const sender_queue*, std::map<std::uint64_t, waiting>::const_iterator>;
  std::map<std::uint64_t, place> followers;
  std::vector<const transaction*> out;
  auto first = ready_.begin();
  while (out.size() < count_max && (first != ready_.end() || !followers.empty())) {
    place now;
    if (followers.empty() || (first != ready_.end() && first->first < followers.begin()->first)) {
      const auto& queue = senders_.at(first->second);
      now = {&queue, queue.by_nonce.begin()};
      ++first;
    } else {
      now = followers.begin()->second;
      followers.erase(followers.begin());
    }
    const auto& [queue, at] = now;
    out.push_back(&at->second.txn);
    auto after = std::next(at);
    if (after != queue->by_nonce.end() && after->first == at->first + 1)
      followers.emplace(after->second.arrival, place{queue, after});
  }
  return out;
}

const transaction* mempool::find(const hash32& hash) const {
  auto found = by_hash_.find(hash);
  return found == by_hash_.end() ? nullptr : found->second;
}

std::uint64_t mempool::next_nonce(const address& sender, std::uint64_t account_nonce) const {
  auto found = senders_.find(sender);
  if (found == senders_.end()) return account_nonce;
  for (auto at = found->second.by_nonce.find(account_nonce);
       at != found->second.by_nonce.end() && at->first == account_nonce; ++at)
    ++account_nonce;
  return account_nonce;
}

void mempool::erase(sender_queue& queue, std::map<std::uint64_t, waiting>::iterator at) {
  byte_count_ -= size_of(at->second.txn);
  by_hash_.erase(at->second.txn.hash());
  queue.by_nonce.erase(at);
}

void mempool::take_ready(const sender_queue& queue) {
  if (auto first = queue.by_nonce.find(queue.account_nonce); first != queue.by_nonce.end())
    ready_.erase(first->second.arrival);
}

void mempool::put_ready(const address& sender, const sender_queue& queue) {
  if (auto first = queue.by_nonce.find(queue.account_nonce); first != queue.by_nonce.end())
    ready_.emplace(first->second.arrival, sender);
}

void mempool::drop_if_empty(sender_map::iterator sender) {
  if (sender->second.by_nonce.empty()) senders_.erase(sender);
}

} // namespace swarm::ledger
