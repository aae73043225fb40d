#include "transport/p2p/txn_relay.hpp"

#include <algorithm>
#include <utility>

namespace swarm::p2p {

bool recent_hashes::insert(const hash32& hash, time_point now) {
  if (!turned_) turned_ = now;
  if (young_.size() >= half_ || now - *turned_ >= span_) {
    std::swap(old_, young_);
    young_.clear();
    turned_ = now;
  }
  return !old_.contains(hash) && young_.insert(hash);
}

bool txn_relay::arrived(const hash32& hash, time_point now) {
  wanted_.erase(hash);
  return seen_.insert(hash, now);
}

bool txn_relay::accepted(const hash32& hash, shared_bytes raw, time_point now) {
  const auto size = raw->size();
  if (size <= cached_bytes_max_ && cached_.emplace(hash, std::move(raw)).second) {
    cached_bytes_ += size;
    cached_order_.push_back(hash);
  }
  while (cached_bytes_ > cached_bytes_max_) {
    const auto oldest = cached_.find(cached_order_.front());
    cached_bytes_ -= oldest->second->size();
    cached_.erase(oldest);
    cached_order_.pop_front();
  }
  wanted_.erase(hash);
  return seen_.insert(hash, now);
}

shared_bytes txn_relay::find(const hash32& hash) const {
  const auto found = cached_.find(hash);
  return found == cached_.end() ? nullptr : found->second;
}

std::vector<hash32> txn_relay::announced(neighbor_id neighbor, std::span<const hash32> hashes) {
  std::vector<hash32> out;
  for (const auto& hash : hashes) {
    if (seen_.contains(hash)) continue;
    auto [which, fresh] = wanted_.try_emplace(hash, want{neighbor, {}});
    if (fresh) {
      out.push_back(hash);
      continue;
    }
    auto& others = which->second.others;
    const bool known =
        which->second.asked == neighbor || std::find(others.begin(), others.end(), neighbor) != others.end();
    if (!known && others.size() < others_max) others.push_back(neighbor);
  }
  return out;
}

txn_relay::questions txn_relay::missed(neighbor_id neighbor, std::span<const hash32> hashes) {
  questions out;
  for (const auto& hash : hashes)
    if (const auto which = wanted_.find(hash); which != wanted_.end() && which->second.asked == neighbor)
      ask_other(which, out);
  return out;
}

txn_relay::questions txn_relay::neighbor_gone(neighbor_id neighbor) {
  questions out;
  for (auto next = wanted_.begin(); next != wanted_.end();) {
    const auto which = next++;
    std::erase(which->second.others, neighbor);
    if (which->second.asked == neighbor) ask_other(which, out);
  }
  return out;
}

void txn_relay::ask_other(std::map<hash32, want>::iterator which, questions& out) {
  auto& others = which->second.others;
  if (others.empty()) {
    wanted_.erase(which);
    return;
  }
  which->second.asked = others.front();
  others.erase(others.begin());
  out[which->second.asked].push_back(which->first);
}

} // namespace swarm::p2p
