#pragma once

#include "base/bytes.hpp"

#include <string_view>

namespace swarm::ledger {

/// Something that a validator must not forget, stored under a key; a new value replaces the old one.
struct consensus_record {
  std::string_view key; ///< points to a constant
  bytes value;
  bool operator==(const consensus_record&) const = default;
};

} // namespace swarm::ledger
