#pragma once

#include "ledger/chain/snapshots.hpp"

namespace swarm::sync {

struct server_options {
  std::uint64_t pivot_lag = 16;  ///< the pivot is so many blocks behind the head, at least
  std::uint64_t pivot_step = 16; ///< and a multiple of this, so that different nodes name the same one
};

/// Answers a peer's question from a chain (snapshot_wire.hpp), in at most about `bytes_max` bytes. What is
/// not here makes an empty answer. `change` is topic 0 of the log of a block that changes the validators. An
/// error: the question is none that an honest node asks.
result<bytes> answer_part(ledger::chain& from, const hash32& change, bytes_view question,
                          std::size_t bytes_max, const server_options& options = {});

} // namespace swarm::sync
