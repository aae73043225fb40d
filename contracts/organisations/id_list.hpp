#pragma once

#include "contracts/organisations/interface.hpp"
#include "contracts/runtime/slots.hpp"

#include <vector>

namespace swarm::contracts {

/// A list of organisations in a contract's storage: its length in a slot, the ids sixteen to a slot from
/// keccak(slot) on. It is read and written as a whole.
class id_list {
public:
  id_list(const slots& in, const hash32& count_slot) : slots_(in), count_slot_(count_slot) {}

  std::uint64_t size() const { return u256(slots_.load(count_slot_)).to_u64(); }
  std::vector<organisation_id> load() const;
  void store(const std::vector<organisation_id>& ids) const;

private:
  slots slots_;
  hash32 count_slot_;
};

} // namespace swarm::contracts
