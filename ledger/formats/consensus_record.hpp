#pragma once

#include "base/bytes.hpp"

#include <string_view>

namespace swarm::ledger {

/// What a validator must not forget, under a name of its own; a new value replaces the old one.
struct consensus_record {
  std::string_view key; ///< of static storage
  bytes value;
  bool operator==(const consensus_record&) const = default;
};

} // namespace swarm::ledger
