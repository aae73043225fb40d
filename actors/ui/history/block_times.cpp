#include "actors/ui/history/block_times.hpp"

#include "actors/swci/commands/reads.hpp"

#include <algorithm>

namespace swarm::ui {

namespace {

constexpr std::size_t moments_at_once = 64;

} // namespace

result<> learn_times(block_times& times, const std::set<std::uint64_t>& blocks, swci::network& sns) {
  std::vector<std::uint64_t> unknown;
  for (const auto block_num : blocks)
    if (block_num > 0 && !times.contains(block_num)) unknown.push_back(block_num);
  for (std::size_t first = 0; first < unknown.size(); first += moments_at_once) {
    const auto last = std::min(first + moments_at_once, unknown.size());
    SWARM_TRY(const auto when, swci::moments_of(sns, {unknown.begin() + static_cast<std::ptrdiff_t>(first),
                                                      unknown.begin() + static_cast<std::ptrdiff_t>(last)}));
    for (const auto& [block_num, moment] : when)
      if (moment.unix_seconds > 0) times[block_num] = moment.unix_seconds * 1000;
  }
  return {};
}

} // namespace swarm::ui
