#include "transport/p2p/send_queue.hpp"

#include <algorithm>
#include <utility>

namespace swarm::p2p {

bool send_queue::push_consensus(shared_bytes encoded) {
  if (!make_room(encoded->size(), true)) return false;
  frame_bytes_ += encoded->size();
  consensus_.push_back(std::move(encoded));
  return true;
}

bool send_queue::push_control(shared_bytes encoded) {
  if (!make_room(encoded->size(), true)) return false;
  frame_bytes_ += encoded->size();
  control_.push_back(std::move(encoded));
  return true;
}

bool send_queue::push_bulk(shared_bytes encoded) {
  if (!make_room(encoded->size(), false)) return false;
  frame_bytes_ += encoded->size();
  bulk_.push_back(std::move(encoded));
  return true;
}

void send_queue::push_txn(const hash32& hash, shared_bytes raw) {
  waiting_txn fresh{hash, std::move(raw)};
  gossip_bytes_ += cost_of(fresh);
  txns_.push_back(std::move(fresh));
  keep_gossip_small();
}

void send_queue::push_hash(const hash32& hash, bool urgent) {
  gossip_bytes_ += hash_cost;
  hashes_.push_back(hash);
  hashes_due_ = hashes_due_ || urgent || hashes_.size() >= hashes_max;
  keep_gossip_small();
}

/// Makes room for a frame of `size` bytes. A frame larger than the queue fits into an empty one.
bool send_queue::make_room(std::size_t size, bool drop_bulk) {
  const auto fits = [&] { return queued_bytes() == 0 || queued_bytes() + size <= options_.queue_bytes_max; };
  while (!fits() && gossip_bytes_ > 0)
    drop_oldest_gossip();
  while (drop_bulk && !fits() && !bulk_.empty()) {
    frame_bytes_ -= bulk_.front()->size();
    bulk_.pop_front();
  }
  return fits();
}

void send_queue::keep_gossip_small() {
  while (gossip_bytes_ > 0
         && (gossip_bytes_ > options_.gossip_bytes_max || queued_bytes() > options_.queue_bytes_max))
    drop_oldest_gossip();
}

void send_queue::drop_oldest_gossip() {
  ++gossip_dropped_;
  if (!txns_.empty()) {
    gossip_bytes_ -= cost_of(txns_.front());
    txns_.pop_front();
    return;
  }
  gossip_bytes_ -= hash_cost;
  hashes_.pop_front();
  hashes_due_ = hashes_due_ && !hashes_.empty();
}

shared_bytes send_queue::take(std::size_t in_flight) {
  if (in_flight >= options_.consensus_window_bytes) return nullptr;
  if (!consensus_.empty()) return take_front(consensus_);
  if (!control_.empty()) return take_front(control_);
  if (head_) return std::make_shared<const bytes>(encode(head{*std::exchange(head_, std::nullopt)}));
  // Transactions are sent one batch at a time: those that come while it is written make the next one.
  const bool bulk_turn = !bulk_.empty() && (bulk_next_ || !gossip_waits());
  if (!bulk_turn && gossip_waits() && in_flight == 0) {
    bulk_next_ = true;
    return take_gossip();
  }
  if (!bulk_turn || in_flight >= options_.other_window_bytes) return nullptr;
  bulk_next_ = false;
  return take_front(bulk_);
}

bool send_queue::waiting() const {
  return !consensus_.empty() || !control_.empty() || head_ || gossip_waits() || !bulk_.empty();
}

shared_bytes send_queue::take_front(std::deque<shared_bytes>& from) {
  auto out = std::move(from.front());
  from.pop_front();
  frame_bytes_ -= out->size();
  return out;
}

shared_bytes send_queue::take_gossip() {
  if (hashes_due_) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(hashes_.size(), hashes_max));
    txn_hashes out{{hashes_.begin(), hashes_.begin() + count}};
    hashes_.erase(hashes_.begin(), hashes_.begin() + count);
    gossip_bytes_ -= hash_cost * out.hashes.size();
    hashes_due_ = !hashes_.empty();
    return std::make_shared<const bytes>(encode(std::move(out)));
  }
  std::vector<bytes_view> batch;
  std::vector<shared_bytes> owners;
  for (std::size_t size = 0; !txns_.empty() && batch.size() < txns_max; txns_.pop_front()) {
    auto& next = txns_.front();
    size += next.raw->size();
    if (!batch.empty() && size > options_.batch_bytes) break;
    gossip_bytes_ -= cost_of(next);
    batch.emplace_back(*next.raw);
    owners.push_back(std::move(next.raw));
  }
  return std::make_shared<const bytes>(encode_txns(batch));
}

} // namespace swarm::p2p
