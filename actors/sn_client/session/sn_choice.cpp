#include "actors/sn_client/session/sn_choice.hpp"

#include "base/endpoint.hpp"

#include <algorithm>

namespace swarm::session {

sn_choice::sn_choice(std::string configured, std::vector<std::string> others, std::uint64_t seed)
    : all_{std::move(configured)}, seed_(seed) {
  set_others(std::move(others));
  earlier_ = this->others();
}

bool sn_choice::is_endpoint(const std::string& text) {
  return text.size() <= endpoint_bytes_max
         && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; }) && endpoint::parse(text);
}

void sn_choice::set_others(std::vector<std::string> endpoints) {
  std::erase_if(endpoints, [&](const auto& each) { return each == all_.front() || !is_endpoint(each); });
  std::sort(endpoints.begin(), endpoints.end());
  endpoints.erase(std::unique(endpoints.begin(), endpoints.end()), endpoints.end());
  if (endpoints.size() > 1)
    std::rotate(endpoints.begin(), endpoints.begin() + static_cast<std::ptrdiff_t>(seed_ % endpoints.size()),
                endpoints.end());
  if (endpoints.size() > others_max) endpoints.resize(others_max);
  all_.resize(1);
  all_.insert(all_.end(), endpoints.begin(), endpoints.end());
}

bool sn_choice::learn(std::vector<std::string> endpoints) {
  const auto before = all_;
  const auto now = current();
  // The one in use stays in the list, whatever the network says of it.
  if (!is_configured()) endpoints.push_back(now);
  set_others(std::move(endpoints));
  const auto found = std::find(all_.begin(), all_.end(), now);
  at_ = found == all_.end() ? 0 : static_cast<std::size_t>(found - all_.begin());
  return all_ != before;
}

bool sn_choice::failed() {
  return ++failures_ >= attempts_each && move_on();
}

bool sn_choice::move_on() {
  failures_ = 0;
  if (all_.size() == 1) return false;
  const auto next = next_one();
  if (next == at_) return false;
  at_ = next;
  earlier_ = others();
  return true;
}

/// The next one that is not distrusted; the next one at all when they all are.
std::size_t sn_choice::next_one() const {
  for (std::size_t steps = 1; steps <= all_.size(); ++steps)
    if (const auto next = (at_ + steps) % all_.size(); !distrusted_.contains(all_[next])) return next;
  return (at_ + 1) % all_.size();
}

void sn_choice::distrust() {
  if (distrusted_.size() < others_max) distrusted_.insert(current());
  const bool knew_others = std::any_of(earlier_.begin(), earlier_.end(),
                                       [&](const auto& each) { return !distrusted_.contains(each); });
  // Who never knew any goes to those that it told of: what they show is proved as well.
  if (knew_others) learn(std::vector<std::string>(earlier_));
}

} // namespace swarm::session
