#pragma once

#include "contracts/registry/seat_share.hpp"
#include "contracts/runtime/slots.hpp"

#include <vector>

namespace swarm::contracts {

/// Who seals blocks, who waits to, and who votes for a change: slots of the NodeRegistry.
///
///     slot 3             array of members, in the order in which they were let in; empty: the genesis validators
///     slot 4             mapping account -> array of those who vote for a change of that account's membership
///     slot 5             block of the last change
///     slots 256 and up   the validators, see ledger/native_contract.hpp
class validator_records {
public:
  explicit validator_records(ledger::contract_host& host);

  std::vector<address> members() const;
  /// Writes the members, with the organisation of each, and the validators that follow from them.
  void set_members(const std::vector<seat_candidate>& members, std::uint64_t block_num) const;
  /// The validators of the next block, sorted.
  std::vector<address> validators() const;
  std::uint64_t last_change() const;

  std::vector<address> voters_on(const address& account) const;
  void set_voters_on(const address& account, const std::vector<address>& voters) const;

private:
  std::vector<address> load_list(const hash32& count_slot, const hash32& first_slot) const;
  void store_list(const hash32& count_slot, const hash32& first_slot, const std::vector<address>& list) const;

  slots slots_;
};

} // namespace swarm::contracts
