#pragma once

#include "ledger/chain/chain_view.hpp"

#include <string>

namespace swarm::actors {

/// Who a node is to people, by what the chain has of its account.
struct registered_name {
  std::string name;         ///< with which it is registered; empty: the registry does not know it
  std::string organisation; ///< whose it is; empty: nobody's, or of none of this chain

  /// "'host:30303' of the organisation 'clinic'".
  std::string who() const;
};

registered_name registered_name_of(const ledger::chain_view& chain, const address& account);

} // namespace swarm::actors
