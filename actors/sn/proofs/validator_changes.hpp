#pragma once

#include "ledger/chain/chain_view.hpp"
#include "ledger/proof/trust.hpp"

namespace swarm::proofs {

/// The blocks in (`after`, head] that changed the validators, oldest first, at most `count_max`; without
/// `after` the genesis block comes before them. Changes may be left out that were undone before block head - 1: who
/// follows the others knows who has sealed the head, and who seals the block after it. Errors are those of reading the chain.
result<std::vector<ledger::handover>>
validator_changes(const ledger::chain_view& chain, std::optional<std::uint64_t> after, std::size_t count_max);

/// The block in (`after`, `up_to`] that is the first, or one of the first, to have other validators than
/// `before`; none when block `up_to` has these.
result<std::optional<std::uint64_t>> next_change(const ledger::chain_view& chain, std::uint64_t after,
                                                 std::uint64_t up_to, std::span<const address> before);

} // namespace swarm::proofs
