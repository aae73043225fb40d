#pragma once

#include "actors/sn/membership/machine/events.hpp"
#include "ledger/chain/chain.hpp"

namespace swarm::membership {

/// The SNs of the registry as they were last read. They are read again when the registry's storage is another one, so
/// that an idle SN does the same work however many nodes are registered.
struct known_sns {
  hash32 storage_root; ///< of the registry; zero: never read
  std::vector<contracts::node_view> sns;
};

/// What `self` wants to know of the chain, at its head. Errors: those of reading it.
result<chain_facts> read_chain_facts(const ledger::chain& chain, const address& self,
                                     const action::read_facts& wanted, known_sns& known);

} // namespace swarm::membership
