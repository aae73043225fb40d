#include "ledger/formats/turns.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace swarm::ledger {

const address& proposer_of(std::span<const address> validators, std::span<const address> resting,
                           const address& parent_proposer, std::uint64_t round_num) {
  SWARM_ASSERT(!validators.empty());
  const auto count = validators.size();
  const auto next = std::upper_bound(validators.begin(), validators.end(), parent_proposer);
  const auto first = static_cast<std::size_t>(next - validators.begin());
  auto turn = static_cast<std::size_t>(round_num % count);
  if (resting.empty()) return validators[(first + turn) % count];
  for (const bool rests : {false, true})
    for (std::size_t i = 0; i < count; ++i) {
      const auto& each = validators[(first + i) % count];
      if (std::binary_search(resting.begin(), resting.end(), each) == rests && turn-- == 0) return each;
    }
  SWARM_ASSERT(false); // every validator either rests or does not
  return validators.front();
}

} // namespace swarm::ledger
