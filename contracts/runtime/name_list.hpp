#pragma once

#include "contracts/runtime/page.hpp"
#include "contracts/runtime/slots.hpp"

#include <vector>

namespace swarm::contracts {

/// A list of names in a contract's storage: their number in one slot, and an array as Solidity keeps it.
class name_list {
public:
  name_list(const slots& in, const hash32& count_slot, const hash32& names_slot)
      : slots_(in), count_slot_(count_slot), names_slot_(names_slot) {}

  std::uint64_t size() const { return u256(slots_.load(count_slot_)).to_u64(); }
  void add(std::string_view name) const;
  /// Removes the name at `index`; the last one takes its place and is returned, unless it was the last itself.
  std::string remove(std::uint64_t index) const;
  /// At most `entries_max` names.
  std::vector<std::string> part(const u256& first, const u256& count,
                                std::uint64_t entries_max = page_entries_max) const;

private:
  slots slots_;
  hash32 count_slot_;
  hash32 names_slot_;
};

} // namespace swarm::contracts
