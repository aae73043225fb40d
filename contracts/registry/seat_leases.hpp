#pragma once

#include "contracts/registry/seat_limits.hpp"

#include <optional>

namespace swarm::contracts {

/// Who is silent gives up its seat to who needs one. Signs of life are not on the chain; so whoever misses them says so
/// here, and the node keeps its seat when anybody shows a sign of life that it has signed since. Nothing is written while
/// all live, or while there are seats enough, and no lie takes a living node's seat. An SL that is in a training keeps its
/// own: its peers say there whether it lives. Slots of the NodeRegistry, since version 3 of the rules:
///
///     slot 21            mapping (organisation, role) -> accused_slot, accused_sign
class seat_leases {
public:
  seat_leases(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), context_(context), slots_(host, node_registry_address()), records_(host), tallies_(host),
        limits_(host, context) {}

  result<> accuse(const accuse_node_args& args) const;
  result<> answer(const answer_for_node_args& args) const;
  result<std::vector<seat_lease_view>> view(organisation_id organisation) const;

  /// The node that has to give way when the organisation has no seat of this role left.
  std::optional<address> given_up(organisation_id organisation, node_type role) const;
  /// The node itself has called.
  void hear(const address& account) const;
  /// It is no member of that organisation any more.
  void forget(const address& account, const node_slot& was) const;

private:
  /// The node of an organisation and role that is said to be silent; without one its time is that of the last answer.
  struct accused_slot {
    address account;
    std::uint64_t time = 0;
  };
  struct accused_sign {
    std::uint64_t serial = 0;
  };

  hash32 place(organisation_id organisation, node_type role) const;
  result<> check_accuser(organisation_id accused) const;
  void acquit(const address& account, const node_slot& status) const;

  template <class Event>
  void emit(const Event& event) const;

  ledger::contract_host& host_;
  const ledger::call_context& context_;
  slots slots_;
  node_records records_;
  organisation_tallies tallies_;
  seat_limits limits_;
};

} // namespace swarm::contracts
