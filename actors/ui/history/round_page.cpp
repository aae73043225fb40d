#include "actors/ui/history/round_page.hpp"

#include "contracts/training/client.hpp"

#include <algorithm>
#include <ranges>

namespace swarm::ui {

namespace json = boost::json;

namespace {

json::array uids_of(const std::vector<address>& from) {
  json::array out;
  for (const auto& each : from)
    out.emplace_back(to_hex(each.view()));
  return out;
}

json::object merge_json(const contracts::merge_committed& from, const event_place& at) {
  json::object excluded;
  for (std::size_t i = 0; i < from.excluded.size() && i < from.reasons.size(); ++i)
    excluded[to_hex(from.excluded[i].view())] = contracts::to_string(from.reasons[i]);
  return {{"digest", to_hex(from.digest.view())},
          {"size", from.size},
          {"leader", to_hex(from.leader.view())},
          {"term", from.term},
          {"contributors", uids_of(from.contributors)},
          {"excluded", std::move(excluded)},
          {"checkers", json::array{}},
          {"block_num", at.block_num},
          {"txn", at.txn}};
}

/// The round that a block is in, of those of the page: the first that lasts until then, or else the last one.
std::uint64_t round_at(const round_page& page, std::uint64_t block_num) {
  for (const auto& [round_num, each] : page.rounds)
    if (std::max(each->last_block, each->merge_block) >= block_num) return round_num;
  return page.rounds.rbegin()->first;
}

} // namespace

round_page page_of(const training_history::generation& in, std::optional<std::uint64_t> before,
                   std::uint64_t count, std::uint64_t last_block) {
  round_page out;
  auto end = before ? in.rounds.lower_bound(*before) : in.rounds.end();
  out.last_block = end == in.rounds.end() ? std::max(in.last_block, last_block) : 0;
  auto begin = end;
  while (begin != in.rounds.begin() && out.rounds.size() < count) {
    --begin;
    out.rounds[begin->first] = &begin->second;
    out.last_block = std::max({out.last_block, begin->second.last_block, begin->second.merge_block});
  }
  out.has_more = begin != in.rounds.begin();
  out.first_block = in.first_block;
  if (out.has_more) {
    const auto& earlier = std::prev(begin)->second;
    out.first_block = earlier.merge_block > 0 ? earlier.merge_block : earlier.first_block;
  }
  return out;
}

std::vector<shown_round> rounds_of(const round_page& page, std::uint64_t generation,
                                   const std::vector<logged_event>& events, std::size_t events_max) {
  std::map<std::uint64_t, shown_round> all;
  for (const auto& [round_num, each] : page.rounds)
    all[round_num].round_num = round_num;
  if (all.empty()) return {};
  for (const auto& each : events) {
    if (generation_of(each.what).value_or(generation) != generation) continue;
    const auto found = all.find(round_of(each.what).value_or(round_at(page, each.at.block_num)));
    if (found == all.end()) continue;
    auto& to = found->second;
    to.events.push_back(event_json(each.what, each.at));
    if (const auto* merge = std::get_if<contracts::merge_committed>(&each.what))
      to.merge = merge_json(*merge, each.at);
    if (const auto* accepted = std::get_if<contracts::merge_accepted>(&each.what);
        accepted && !to.merge.empty())
      to.merge["checkers"] = uids_of(accepted->checkers);
  }
  std::vector<shown_round> out;
  std::size_t count = 0;
  for (auto& [round_num, each] : all | std::views::reverse) {
    count += each.events.size();
    if (count > events_max) each.events.clear();
    out.push_back(std::move(each));
  }
  return out;
}

} // namespace swarm::ui
