#include "ledger/consensus/quorum.hpp"

#include "base/assert.hpp"

namespace swarm::consensus {

const address& proposer_of(std::span<const address> validators, const address& parent_proposer,
                           std::uint64_t round_num) {
  SWARM_ASSERT(!validators.empty());
  const auto next = std::upper_bound(validators.begin(), validators.end(), parent_proposer);
  const auto first = static_cast<std::uint64_t>(next - validators.begin()) % validators.size();
  return validators[(first + round_num % validators.size()) % validators.size()];
}

bool is_validator(std::span<const address> validators, const address& who) {
  return std::binary_search(validators.begin(), validators.end(), who);
}

} // namespace swarm::consensus
