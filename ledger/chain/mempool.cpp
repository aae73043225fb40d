#include "ledger/chain/mempool.hpp"

#include "base/assert.hpp"
#include "ledger/state/execute.hpp"

#include <algorithm>

namespace swarm::ledger {

namespace {
/// Bytes a waiting transaction takes besides its own, estimated.
constexpr std::size_t entry_overhead = 512;

std::size_t size_of(const transaction& txn) {
  return entry_overhead + 2 * txn.raw().size();
}
} // namespace

result<> mempool::add(transaction txn, std::uint64_t account_nonce, std::uint16_t organisation) {
  if (by_hash_.contains(txn.hash()))
    return fail(pool_errc::already_known, "already known: transaction {} waits for a block",
                to_hex(txn.hash().view()));
  SWARM_CHECK(check_sender(txn, account_nonce));
  auto sender = txn.sender();
  if (const auto known = senders_.find(sender); known != senders_.end())
    organisation = known->second.organisation;
  SWARM_CHECK(make_room(txn, account_nonce, organisation));
  auto& queue = senders_[sender];
  take_ready(queue);
  queue.account_nonce = account_nonce;
  queue.organisation = organisation;
  byte_count_ += size_of(txn);
  auto& of = shares_[organisation];
  of.byte_count += size_of(txn);
  ++of.txn_count;
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
/// missing nonce, so that nobody can block the pool with transactions that lead nowhere; and one of the organisation that
/// has most.
result<> mempool::make_room(const transaction& txn, std::uint64_t account_nonce, std::uint16_t organisation) {
  auto fits = [&] {
    return by_hash_.size() < limits_.txns_max && byte_count_ + size_of(txn) <= limits_.bytes_max;
  };
  bool executable = txn.fields().nonce == next_nonce(txn.sender(), account_nonce);
  while (!fits()) {
    if (executable && (drop_youngest_gapped() || drop_of_largest(organisation, size_of(txn)))) continue;
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

/// Drops the youngest that nothing follows of the organisation that has most, if `organisation` has less with `bytes`
/// more.
bool mempool::drop_of_largest(std::uint16_t organisation, std::size_t bytes) {
  auto largest = shares_.begin();
  for (auto each = shares_.begin(); each != shares_.end(); ++each)
    if (each->second.byte_count > largest->second.byte_count) largest = each;
  if (largest == shares_.end() || largest->first == organisation) return false;
  const auto own = shares_.find(organisation);
  if ((own == shares_.end() ? 0 : own->second.byte_count) + bytes >= largest->second.byte_count) return false;
  auto worst = senders_.end();
  for (auto sender = senders_.begin(); sender != senders_.end(); ++sender)
    if (sender->second.organisation == largest->first
        && (worst == senders_.end()
            || sender->second.by_nonce.rbegin()->second.arrival
                   > worst->second.by_nonce.rbegin()->second.arrival))
      worst = sender;
  SWARM_ASSERT(worst != senders_.end());
  take_ready(worst->second);
  erase(worst->second, std::prev(worst->second.by_nonce.end()));
  put_ready(worst->first, worst->second);
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

bool mempool::has_executable() const {
  return std::any_of(shares_.begin(), shares_.end(),
                     [](const auto& each) { return !each.second.ready.empty(); });
}

/// What can be executed of one organisation, by arrival: the first transactions of its senders, and those that follow one
/// already taken.
class mempool::stream {
public:
  stream(const sender_map& senders, const share& of)
      : senders_(&senders), next_(of.ready.begin()), end_(of.ready.end()) {}

  bool is_over() const { return next_ == end_ && followers_.empty(); }
  const transaction* take() {
    place now;
    if (followers_.empty() || (next_ != end_ && next_->first < followers_.begin()->first)) {
      const auto& queue = senders_->at(next_->second);
      now = {&queue, queue.by_nonce.begin()};
      ++next_;
    } else {
      now = followers_.begin()->second;
      followers_.erase(followers_.begin());
    }
    const auto& [queue, at] = now;
    const auto after = std::next(at);
    if (after != queue->by_nonce.end() && after->first == at->first + 1)
      followers_.emplace(after->second.arrival, place{queue, after});
    return &at->second.txn;
  }

private:
  using place = std::pair<const sender_queue*, std::map<std::uint64_t, waiting>::const_iterator>;
  const sender_map* senders_;
  std::map<std::uint64_t, address>::const_iterator next_, end_;
  std::map<std::uint64_t, place> followers_;
};

std::vector<const transaction*> mempool::executable(std::size_t count_max) const {
  std::map<std::pair<std::size_t, std::uint16_t>, stream> by_taken; // who has least in the block is next
  for (const auto& [organisation, of] : shares_)
    if (!of.ready.empty()) by_taken.emplace(std::pair(0, organisation), stream(senders_, of));
  std::vector<const transaction*> out;
  while (out.size() < count_max && !by_taken.empty()) {
    auto least = by_taken.extract(by_taken.begin());
    out.push_back(least.mapped().take());
    if (least.mapped().is_over()) continue;
    least.key().first += size_of(*out.back());
    by_taken.insert(std::move(least));
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
  const auto of = shares_.find(queue.organisation);
  SWARM_ASSERT(of != shares_.end());
  of->second.byte_count -= size_of(at->second.txn);
  if (--of->second.txn_count == 0) shares_.erase(of);
  by_hash_.erase(at->second.txn.hash());
  queue.by_nonce.erase(at);
}

void mempool::take_ready(const sender_queue& queue) {
  if (auto first = queue.by_nonce.find(queue.account_nonce); first != queue.by_nonce.end())
    shares_.at(queue.organisation).ready.erase(first->second.arrival);
}

void mempool::put_ready(const address& sender, const sender_queue& queue) {
  if (auto first = queue.by_nonce.find(queue.account_nonce); first != queue.by_nonce.end())
    shares_.at(queue.organisation).ready.emplace(first->second.arrival, sender);
}

void mempool::drop_if_empty(sender_map::iterator sender) {
  if (sender->second.by_nonce.empty()) senders_.erase(sender);
}

} // namespace swarm::ledger
