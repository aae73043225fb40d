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
  std::string name;            ///< with which it is registered; empty: the registry does not know it
  std::string organisation;    ///< whose it is; empty: nobody's, or of none of this chain
  std::uint64_t proved_in = 0; ///< block

  /// "'host:30303' of the organisation 'clinic'".
  std::string who() const;
};
using convicted_map = std::map<address, convicted>;

/// What the chain knows of the account, whose double vote block `proved_in` proves.
convicted convicted_as(const ledger::chain_view& chain, const address& account, std::uint64_t proved_in);
/// All of them up to now.
result<convicted_map> convicted_on(const ledger::chain_view& chain);

} // namespace swarm::actors
