#include "actors/sl/files/gate/reader_watch.hpp"

#include <algorithm>
#include <utility>

namespace swarm::gate {

void reader_watch::granted(const hash32& certificate, const address& account) {
  auto& accounts = readers_[certificate];
  if (accounts.size() >= accounts_max && !accounts.contains(account)) accounts.erase(accounts.begin());
  accounts.insert(account);
}

void reader_watch::keep(const std::vector<hash32>& connected) {
  std::erase_if(readers_, [&](const auto& each) {
    return std::find(connected.begin(), connected.end(), each.first) == connected.end();
  });
}

std::vector<address> reader_watch::next(std::size_t count) {
  std::set<address> all;
  for (const auto& [certificate, accounts] : readers_)
    all.insert(accounts.begin(), accounts.end());
  std::vector<address> out;
  auto at = all.upper_bound(last_);
  while (out.size() < std::min(count, all.size())) {
    if (at == all.end()) at = all.begin();
    out.push_back(*at++);
  }
  if (!out.empty()) last_ = out.back();
  return out;
}

void reader_watch::read(const contracts::node_view& node, const address& account) {
  for (auto at = readers_.begin(); at != readers_.end();) {
    auto& [certificate, accounts] = *at;
    if (!(node.active && node.identity == certificate)) accounts.erase(account);
    if (!accounts.empty()) {
      ++at;
      continue;
    }
    ended_.push_back(certificate);
    at = readers_.erase(at);
  }
}

std::vector<hash32> reader_watch::take_ended() {
  return std::exchange(ended_, {});
}

} // namespace swarm::gate
