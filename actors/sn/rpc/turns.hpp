#pragma once

#include "base/bytes.hpp"

#include <deque>
#include <unordered_map>
#include <utility>

namespace swarm::rpc {

/// A queue in which clients, known by the fingerprints of their certificates, take turns. The items of one
/// client keep their order.
template <class Item>
class turns {
public:
  bool empty() const { return next_.empty(); }

  void push(const hash32& client, Item what) {
    auto& own = by_client_[client];
    if (own.empty()) next_.push_back(client);
    own.push_back(std::move(what));
  }
  /// Takes the next item; it must not be empty.
  Item pop() {
    const auto client = next_.front();
    next_.pop_front();
    const auto found = by_client_.find(client);
    auto out = std::move(found->second.front());
    found->second.pop_front();
    if (found->second.empty())
      by_client_.erase(found);
    else
      next_.push_back(client);
    return out;
  }

private:
  std::unordered_map<hash32, std::deque<Item>> by_client_; ///< only clients with items
  std::deque<hash32> next_;
};

} // namespace swarm::rpc
