#pragma once

#include "ledger/native_contract.hpp"

#include <span>

namespace swarm::ledger {

/// The 2048-bit filter of a receipt's or block's logs (Yellow Paper 4.3.1, M3:2048): three bits for each
/// log's address and for each topic. Says "certainly not" or "perhaps".
struct bloom : fixed_bytes<256> {
  constexpr bloom() = default;
  constexpr explicit bloom(const fixed_bytes<256>& from) : fixed_bytes<256>(from) {}

  void add(bytes_view item);
  void add(const log_entry& entry);
  void add(const bloom& other);
  bool may_contain(bytes_view item) const;
};

bloom bloom_of(std::span<const log_entry> logs);

} // namespace swarm::ledger
