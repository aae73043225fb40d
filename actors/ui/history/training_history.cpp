#include "actors/ui/history/training_history.hpp"

#include "contracts/training/client.hpp"

#include <algorithm>

namespace swarm::ui {

using namespace swarm::contracts;

std::vector<hash32> training_history::topics() {
  return {event_topic<peer_registered>(), event_topic<reveals_opened>(),    event_topic<round_closed>(),
          event_topic<loss_reported>(),   event_topic<merge_accepted>(),    event_topic<round_stopped>(),
          event_topic<training_reset>(),  event_topic<training_complete>(), event_topic<leader_changed>()};
}

void training_history::take(const training_event& what, std::uint64_t block_num) {
  std::visit(
      [&](const auto& e) {
        if constexpr (requires {
                        e.generation;
                        e.round_num;
                      })
          at(at(e.generation, block_num), e.round_num, block_num);
        on(e, block_num);
      },
      what);
  while (!kept_.fits(amount_max) && forget_oldest(amount_max)) {
  }
}

training_history::generation& training_history::at(std::uint64_t number, std::uint64_t block_num) {
  const auto [found, is_new] = generations_.try_emplace(number);
  kept_.members += is_new;
  auto& out = found->second;
  if (out.first_block == 0) out.first_block = block_num;
  out.last_block = block_num;
  return out;
}

training_history::round& training_history::at(generation& in, std::uint64_t round_num,
                                              std::uint64_t block_num) {
  const auto [found, is_new] = in.rounds.try_emplace(round_num);
  kept_.rounds += is_new;
  auto& out = found->second;
  if (out.first_block == 0) out.first_block = block_num;
  out.last_block = block_num;
  return out;
}

std::uint32_t training_history::index_of(generation& in, const address& who) {
  const auto [found, is_new] = in.indexes.try_emplace(who, static_cast<std::uint32_t>(in.peers.size()));
  if (is_new) {
    in.peers.push_back(who);
    ++kept_.members;
  }
  return found->second;
}

void training_history::on(const peer_registered& e, std::uint64_t block_num) {
  auto& to = at(e.generation, block_num);
  if (to.peers.empty()) {
    to.min_peers = e.min_peers;
    to.merge_method = e.merge_method;
  }
  index_of(to, e.peer);
}

void training_history::on(const loss_reported& e, std::uint64_t block_num) {
  auto& to = at(e.generation, block_num);
  const auto peer = index_of(to, e.peer);
  auto& reports = at(to, e.round_num, block_num).reports;
  reports.push_back(
      {peer, static_cast<float>(from_micro(e.loss_micro)), static_cast<float>(from_micro(e.metric_micro))});
  ++kept_.reports;
}

void training_history::on(const merge_accepted& e, std::uint64_t block_num) {
  auto& to = at(e.generation, block_num);
  at(to, e.round_num, block_num).merge_block = block_num;
  to.digest = e.digest;
}

void training_history::on(const training_complete& e, std::uint64_t block_num) {
  at(e.generation, block_num).is_complete = true;
}
void training_history::on(const round_stopped& e, std::uint64_t block_num) {
  at(e.generation, block_num).is_stopped = true;
}

/// Its number is that of the generation that begins.
void training_history::on(const training_reset& e, std::uint64_t block_num) {
  for (auto& [number, each] : generations_)
    if (number < e.generation && !each.is_complete) each.is_reset = true;
  at(e.generation, block_num);
}

bool training_history::forget_oldest(const amount& room) {
  const bool rounds_fit = kept_.reports <= room.reports && kept_.rounds <= room.rounds;
  return rounds_fit ? forget_run() : forget_round() || forget_run();
}

bool training_history::forget_round() {
  const auto oldest = std::find_if(generations_.begin(), generations_.end(),
                                   [](const auto& each) { return !each.second.rounds.empty(); });
  if (oldest == generations_.end()) return false;
  auto& in = oldest->second;
  if (in.rounds.size() == 1 && std::next(oldest) == generations_.end()) return false;
  kept_.reports -= in.rounds.begin()->second.reports.size();
  in.rounds.erase(in.rounds.begin());
  --kept_.rounds;
  in.misses_rounds = true;
  return true;
}

bool training_history::forget_run() {
  if (generations_.size() < 2) return false;
  const auto& oldest = generations_.begin()->second;
  for (const auto& [number, each] : oldest.rounds)
    kept_.reports -= each.reports.size();
  kept_.rounds -= oldest.rounds.size();
  kept_.members -= oldest.peers.size() + 1;
  generations_.erase(generations_.begin());
  return true;
}

} // namespace swarm::ui
