#pragma once

#include "base/bytes.hpp"

namespace swarm::ledger {

/// The chain that seals belong to.
struct chain_identity {
  std::uint64_t chain_id = 0;
  hash32 genesis_hash;
  bool operator==(const chain_identity&) const = default;
};

} // namespace swarm::ledger
