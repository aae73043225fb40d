#pragma once

#include "actors/sn/chain/registered_name.hpp"
#include "contracts/registry/interface.hpp"
#include "ledger/chain/chain_view.hpp"
#include "ledger/chain/executed_block.hpp"

#include <map>
#include <vector>

namespace swarm::actors {

/// The double votes that were proved in a block (contracts/registry/evidence.hpp).
std::vector<contracts::double_vote_proved> double_votes_in(const ledger::executed_block& block);

/// A validator that lost its seat for one.
struct convicted {
  registered_name node;
  std::uint64_t proved_in = 0; ///< block
};
using convicted_map = std::map<address, convicted>;

/// All of them up to now.
result<convicted_map> convicted_on(const ledger::chain_view& chain);

} // namespace swarm::actors
