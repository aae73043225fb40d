#include "actors/sn_client/session/own_asks.hpp"

#include <algorithm>

namespace swarm::session {

std::uint64_t own_asks::add(event::ask call, time_point due) {
  asks_.emplace(next_key_, open_ask{std::move(call), due});
  return next_key_++;
}

std::optional<own_asks::open_ask> own_asks::take(std::uint64_t key) {
  auto node = asks_.extract(key);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

std::vector<std::pair<std::uint64_t, const event::ask*>> own_asks::send_all() {
  std::vector<std::pair<std::uint64_t, const event::ask*>> out;
  for (auto& [key, one] : asks_)
    if (!std::exchange(one.sent, true)) out.emplace_back(key, &one.call);
  return out;
}

void own_asks::lost() {
  for (auto& [key, one] : asks_)
    one.sent = false;
}

std::vector<own_asks::open_ask> own_asks::take_due(time_point now) {
  std::vector<open_ask> out;
  for (auto at = asks_.begin(); at != asks_.end();) {
    if (now < at->second.due) {
      ++at;
      continue;
    }
    out.push_back(std::move(at->second));
    at = asks_.erase(at);
  }
  return out;
}

std::optional<time_point> own_asks::next_due() const {
  const auto first = std::ranges::min_element(asks_, {}, [](const auto& each) { return each.second.due; });
  if (first == asks_.end()) return std::nullopt;
  return first->second.due;
}

} // namespace swarm::session
