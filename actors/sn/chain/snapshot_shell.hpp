#pragma once

#include "actors/sn/chain/chain_state.hpp"
#include "actors/supervision/role_actor.hpp"

namespace swarm::actors {

/// /sn/chain's part in snapshots: taking one (ledger/snapshot/snapshot_driver.hpp) and giving parts of one.

/// Carries out what the driver wants. Returns the new head when a snapshot was taken.
ledger::block_ptr carry_out_snapshot(role_actor<chain_state>* self);
void answer_part_question(role_actor<chain_state>* self, const part_wanted& what);

} // namespace swarm::actors
