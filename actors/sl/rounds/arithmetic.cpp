#include "actors/sl/rounds/arithmetic.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace swarm::rounds {

double merge_weight(const contracts::check_in_view& in, std::uint64_t round_num) {
  const auto previous = round_num - 1;
  const auto age = in.finished || in.base_round >= previous ? 0 : previous - in.base_round;
  return static_cast<double>(in.weightage) / static_cast<double>(1 + age);
}

duration leader_time_max(const contract_view& view, duration most) {
  std::uint64_t bytes = 0;
  for (const auto& in : view.check_ins)
    if (in.weightage > 0) bytes += std::min(in.size, std::numeric_limits<std::uint64_t>::max() / 2 - bytes);
  const auto seconds = 60 + bytes / model_rate_min;
  const auto limit = std::chrono::duration_cast<std::chrono::seconds>(most).count();
  return seconds < static_cast<std::uint64_t>(limit) ? std::chrono::seconds(seconds) : most;
}

namespace {

template <class Value>
Value middle_of(std::vector<Value>& values) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, at);
  return *at;
}

} // namespace

std::optional<std::chrono::seconds> time_for_steady(const contract_view& view, const peer_list& missing) {
  std::map<contracts::organisation_id, std::vector<std::uint32_t>> took;
  for (const auto& in : view.check_ins)
    if (const auto* peer = peer_of(view, in);
        peer != nullptr && in.weightage > 0 && in.base_round > 0 && !in.finished)
      took[peer->organisation].push_back(peer->took);
  if (took.empty()) return std::nullopt;
  std::vector<std::uint32_t> middles;
  for (auto& [organisation, own] : took)
    middles.push_back(middle_of(own));
  const auto most = slower_at_most * middle_of(middles);
  const bool is_steady = std::ranges::any_of(missing, [&](const auto* peer) {
    return peer->last_round > 0 && peer->took <= most && !view.silent.contains(peer->account);
  });
  return is_steady ? std::optional(std::chrono::seconds(most)) : std::nullopt;
}

duration turn_to_end(const contract_view& view, const address& self) {
  constexpr auto slack = std::chrono::seconds(1);
  constexpr auto next_peer = std::chrono::milliseconds(300);
  const auto own = std::ranges::find(view.peers, self, &contracts::peer_view::account);
  return slack + (own - view.peers.begin()) * next_peer;
}

std::optional<mean_report> mean_of_reports(const contract_view& view) {
  mean_report out;
  for (const auto& peer : view.peers) {
    const auto loss = contracts::from_micro(peer.loss_micro);
    if (peer.loss_round == 0 || std::isnan(loss)) continue;
    out.loss += loss;
    out.metric += contracts::from_micro(peer.metric_micro);
    ++out.peers;
    out.rounds += peer.loss_round;
  }
  if (out.peers == 0) return std::nullopt;
  out.loss /= out.peers;
  out.metric /= out.peers;
  return out;
}

std::uint32_t adaptive_interval(std::uint32_t current, std::uint32_t asked, std::optional<double> loss_before,
                                double loss_now) {
  if (!loss_before) return std::max<std::uint32_t>(1, current);
  const double factor = loss_now < *loss_before ? 1.25 : 0.8;
  const double low = std::max(1.0, asked / 4.0);
  const double high = std::max(1.0, asked * 4.0);
  return static_cast<std::uint32_t>(std::clamp(std::round(current * factor), low, high));
}

} // namespace swarm::rounds
