#pragma once

#include "actors/sn/membership/machine/events.hpp"
#include "ledger/chain/chain.hpp"

namespace swarm::membership {

/// What `self` wants to know of the chain, at its head. Errors: those of reading it.
result<chain_facts> read_chain_facts(const ledger::chain& chain, const address& self,
                                     const action::read_facts& wanted);

} // namespace swarm::membership
