#include "ledger/consensus/message_park.hpp"

namespace swarm::consensus {

void message_park::add(std::uint64_t neighbor, std::uint64_t block_num, std::uint64_t round_num,
                       shared_bytes raw) {
  if (raw->size() > limits_.neighbor_bytes_max) return;
  auto& own = lots_[neighbor];
  own.bytes += raw->size();
  bytes_ += raw->size();
  ++count_;
  own.messages.emplace(place{block_num, round_num, arrivals_++}, std::move(raw));
  while (own.messages.size() > limits_.neighbor_messages_max || own.bytes > limits_.neighbor_bytes_max)
    drop(own, std::prev(own.messages.end()));
  while (bytes_ > limits_.total_bytes_max)
    drop_farthest_of_largest();
}

void message_park::drop(lot& from, std::map<place, shared_bytes>::iterator at) {
  from.bytes -= at->second->size();
  bytes_ -= at->second->size();
  --count_;
  from.messages.erase(at);
}

void message_park::drop_farthest_of_largest() {
  auto largest = lots_.begin();
  for (auto it = lots_.begin(); it != lots_.end(); ++it)
    if (it->second.bytes > largest->second.bytes) largest = it;
  drop(largest->second, std::prev(largest->second.messages.end()));
}

std::vector<message_park::parked> message_park::take(std::uint64_t block_num, std::uint64_t round_num_max) {
  std::vector<parked> out;
  for (auto& [neighbor, own] : lots_) {
    auto at = own.messages.lower_bound(place{block_num, 0, 0});
    while (at != own.messages.end() && std::get<0>(at->first) == block_num
           && std::get<1>(at->first) <= round_num_max) {
      out.push_back({neighbor, at->second});
      drop(own, at++);
    }
  }
  return out;
}

void message_park::drop_below(std::uint64_t block_num) {
  for (auto lot_at = lots_.begin(); lot_at != lots_.end();) {
    auto& own = lot_at->second;
    while (!own.messages.empty() && std::get<0>(own.messages.begin()->first) < block_num)
      drop(own, own.messages.begin());
    lot_at = own.messages.empty() ? lots_.erase(lot_at) : std::next(lot_at);
  }
}

void message_park::drop_neighbor(std::uint64_t neighbor) {
  const auto found = lots_.find(neighbor);
  if (found == lots_.end()) return;
  while (!found->second.messages.empty())
    drop(found->second, found->second.messages.begin());
  lots_.erase(found);
}

} // namespace swarm::consensus
