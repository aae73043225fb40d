#pragma once

#include "actors/sn/membership/machine/events.hpp"
#include "ledger/chain/chain.hpp"

namespace swarm::membership {

/// The organisations of the chain at its head, by each of their anchors; none on a chain that was begun without. Errors:
/// those of reading it.
result<std::map<hash32, anchor_owner>> read_anchor_owners(const ledger::chain& chain);

} // namespace swarm::membership
