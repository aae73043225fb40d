#pragma once

#include "contracts/registry/organisation_tallies.hpp"

#include <array>

namespace swarm::contracts {

/// How many seats of each kind an organisation may take: the nodes of a role, and the trainings of its that are under way.
/// The network limits them by a vote, the organisation for itself; the lower limit holds. What is there stays when a limit
/// falls below it: only what comes next is refused. Slots of the NodeRegistry, since version 3 of the rules:
///
///     slot 19            mapping organisation -> limits of the network, its own limits
///     slot 20            mapping (organisation, kind, voter) -> seat_vote_slot
class seat_records {
public:
  explicit seat_records(ledger::contract_host& host) : slots_(host, node_registry_address()) {}

  seat_limit_view of(organisation_id organisation, seat_kind kind) const;

protected:
  hash32 place(organisation_id organisation) const;
  hash32 vote_place(organisation_id organisation, seat_kind kind, organisation_id voter) const;

  slots slots_;
};

/// "the network limits ... to 3: more than half of the organisations can vote for another number", for a limit that is
/// reached.
std::string who_limits(const seat_limit_view& limit);

/// Why one more node of this role is refused.
std::string no_seat_left(std::string_view organisation, node_type role, std::uint32_t taken,
                         const seat_limit_view& limit);

/// The calls of the NodeRegistry on limits, in one call.
class seat_limits : public seat_records {
public:
  seat_limits(ledger::contract_host& host, const ledger::call_context& context)
      : seat_records(host), host_(host), context_(context), tallies_(host) {}

  result<> limit(const limit_seats_args& args) const;
  result<> vote(const vote_seats_args& args) const;
  result<std::vector<seat_limit_view>> view(organisation_id organisation) const;
  result<std::vector<seat_vote_view>> votes(const seat_votes_args& args) const;
  /// Fails when a node of this role would be one more than the organisation may have. `given_up`: so many seats of it are free
  /// for whoever comes.
  result<> check_room(organisation_id organisation, node_type role, std::uint32_t given_up) const;
  /// Whether all its seats of this role are taken; false where they are not limited.
  bool is_full(organisation_id organisation, node_type role) const;
  /// How many are. True from the first limit of the organisation on.
  std::uint32_t taken(organisation_id organisation, node_type role) const;

private:
  result<organisation_id> organisation_of_caller() const;
  void set(organisation_id organisation, seat_kind kind, std::uint32_t most, bool by_network) const;
  void begin_counting(organisation_id organisation) const;

  template <class Event>
  void emit(const Event& event) const;

  ledger::contract_host& host_;
  const ledger::call_context& context_;
  organisation_tallies tallies_;
};

} // namespace swarm::contracts
