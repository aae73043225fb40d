#include "actors/sn/proofs/validator_changes.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace swarm::proofs {

result<std::optional<std::uint64_t>> next_change(const ledger::chain_view& chain, std::uint64_t after,
                                                 std::uint64_t up_to, std::span<const address> before) {
  SWARM_TRY(const auto last, chain.validators_after(up_to));
  if (up_to <= after || std::ranges::equal(last, before)) return std::optional<std::uint64_t>{};
  // They changed somewhere in (low, high], perhaps several times.
  auto low = after, high = up_to;
  while (high - low > 1) {
    const auto middle = low + (high - low) / 2;
    SWARM_TRY(const auto then, chain.validators_after(middle));
    (std::ranges::equal(then, before) ? low : high) = middle;
  }
  return std::optional{high};
}

result<std::vector<ledger::handover>> validator_changes(const ledger::chain_view& chain,
                                                        std::optional<std::uint64_t> after,
                                                        std::size_t count_max) {
  std::vector<ledger::handover> out;
  const auto head = chain.head()->header.block_num;
  if (!after) {
    SWARM_TRY(out.emplace_back(), chain.handover_at(0));
  }
  auto at = after.value_or(0);
  while (at < head && out.size() < count_max) {
    SWARM_TRY(const auto before, chain.validators_after(at));
    // The head is sealed by the validators before it, whatever it changes.
    SWARM_TRY(auto next, next_change(chain, at, head - 1, before));
    if (!next) {
      SWARM_TRY(next, next_change(chain, head - 1, head, before));
    }
    if (!next) break;
    SWARM_TRY(out.emplace_back(), chain.handover_at(*next));
    at = *next;
  }
  return out;
}

} // namespace swarm::proofs
