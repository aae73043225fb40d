#pragma once

#include "actors/sn/chain/chain_state.hpp"
#include "ledger/consensus/events.hpp"

namespace swarm::actors {

/// The head as consensus wants it. Names those validators who begin to rest after it, as they missed their turns.
result<consensus::chain_head> head_for_consensus(chain_state& s);

} // namespace swarm::actors
