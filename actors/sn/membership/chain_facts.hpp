#pragma once

#include "actors/sn/membership/machine/events.hpp"
#include "ledger/chain/chain.hpp"

namespace swarm::membership {

/// The SNs of the registry as they were last read. They are read again when the storage of the registry or of the
/// organisations is another one, or one of them has expired since, so that an idle SN does the same work however many
/// nodes are registered.
struct known_sns {
  hash32 nodes_root;            ///< storage of the NodeRegistry; zero: never read
  hash32 organisations_root;    ///< storage of the OrganisationRegistry
  std::uint64_t good_until = 0; ///< the block time at which the first of them expires
  std::vector<contracts::node_view> sns;
  std::vector<contracts::seat_power> powers;
};

/// What `self` wants to know of the chain, at its head. Errors: those of reading it.
result<chain_facts> read_chain_facts(const ledger::chain& chain, const address& self,
                                     const action::read_facts& wanted, known_sns& known);

} // namespace swarm::membership
