#pragma once

#include "actors/sn/rpc/caller.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

namespace swarm::rpc {

/// A queue in which organisations take turns, and so do the clients of one of them. Next is whoever had least work done,
/// in units that are charged when it is known what an item took. So every organisation gets the same share of the work
/// while several want it, however many certificates it has and however it cuts its requests, and all of it when nobody
/// else wants any. The items of one client keep their order.
///
/// What was done for somebody counts from when he last had nothing waiting: nobody saves up turns, and who comes back
/// soon has not shaken off what he owes.
template <class Item>
class turns {
public:
  bool empty() const { return size_ == 0; }

  void push(const party& from, Item what) {
    if (empty()) organisations_.clear(); // nobody waits, so nobody owes anything
    come(from).push_back(std::move(what));
  }
  /// What is left of an item that was taken, before the client's others.
  void put_back(const party& from, Item what) { come(from).push_front(std::move(what)); }
  /// Takes the next item; it must not be empty.
  Item pop() {
    auto& organisation = next_of(organisations_, floor_);
    auto& client = next_of(organisation.clients, organisation.floor);
    auto out = std::move(client.items.front());
    client.items.pop_front();
    --client.waiting;
    --organisation.waiting;
    --size_;
    return out;
  }
  /// Work that was done for somebody.
  void charge(const party& of, std::uint64_t units) {
    const auto organisation = organisations_.find(of.organisation);
    if (organisation == organisations_.end()) return;
    organisation->second.done += units;
    const auto client = organisation->second.clients.find(of.client);
    if (client != organisation->second.clients.end()) client->second.done += units;
  }
  /// Whether items of another organisation wait.
  bool others_wait(const hash32& organisation) const {
    const auto own = organisations_.find(organisation);
    return size_ > (own == organisations_.end() ? 0 : own->second.waiting);
  }
  /// Who is remembered; only those who have items or owe something.
  std::size_t clients() const {
    std::size_t out = 0;
    for (const auto& [name, each] : organisations_)
      out += each.clients.size();
    return out;
  }

private:
  struct lane {
    std::uint64_t done = 0; ///< units; comparable among lanes of one level
    std::uint64_t turn =
        0; ///< when it had its last one, or came; of two with as much done the earlier is next
    std::size_t waiting = 0;
  };
  struct client_lane : lane {
    std::deque<Item> items;
  };
  struct organisation_lane : lane {
    std::uint64_t floor = 0;
    std::map<hash32, client_lane> clients;
  };

  std::deque<Item>& come(const party& from) {
    auto& organisation = enter(organisations_, from.organisation, floor_);
    auto& client = enter(organisation.clients, from.client, organisation.floor);
    ++client.waiting;
    ++organisation.waiting;
    ++size_;
    return client.items;
  }
  template <class Lane>
  Lane& enter(std::map<hash32, Lane>& among, const hash32& name, std::uint64_t floor) {
    const auto [at, is_new] = among.try_emplace(name);
    auto& out = at->second;
    if (is_new) {
      std::erase_if(among, [&](const auto& each) {
        return each.first != name && each.second.waiting == 0 && each.second.done <= floor;
      });
      out.turn = ++turn_;
    }
    if (out.waiting == 0) out.done = std::max(out.done, floor);
    return out;
  }
  /// The lane with items that had least work done; its work so far is the new floor.
  template <class Lane>
  Lane& next_of(std::map<hash32, Lane>& among, std::uint64_t& floor) {
    Lane* out = nullptr;
    for (auto& [name, each] : among)
      if (each.waiting > 0
          && (out == nullptr || std::pair(each.done, each.turn) < std::pair(out->done, out->turn)))
        out = &each;
    floor = std::max(floor, out->done);
    out->turn = ++turn_;
    return *out;
  }

  std::map<hash32, organisation_lane> organisations_;
  std::uint64_t floor_ = 0; ///< the least work of those whose turn it is
  std::uint64_t turn_ = 0;
  std::size_t size_ = 0;
};

} // namespace swarm::rpc
