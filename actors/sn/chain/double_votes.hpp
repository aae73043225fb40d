#pragma once

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
  std::string name;            ///< with which it is registered
  std::uint64_t proved_in = 0; ///< block
};
using convicted_map = std::map<address, convicted>;

/// What the registry calls the account; empty: it does not know it.
std::string registered_name(const ledger::chain_view& chain, const address& account);
/// All of them up to now.
result<convicted_map> convicted_on(const ledger::chain_view& chain);

} // namespace swarm::actors
