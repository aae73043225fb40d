#pragma once

#include "contracts/registry/organisation_tallies.hpp"
#include "contracts/registry/seat_leases.hpp"
#include "contracts/registry/seat_limits.hpp"
#include "contracts/registry/seats.hpp"

namespace swarm::contracts {

/// How nodes become members and cease to be, in one call.
///
/// On a chain without organisations a registration counts at once. Otherwise it waits, in the name of the organisation
/// that it claims, until enough organisations have vouched for it. What waits can never displace a member, and nothing
/// that waits for one organisation hinders another's.
class memberships {
public:
  memberships(ledger::contract_host& host, const ledger::call_context& context)
      : host_(host), context_(context), records_(host), tallies_(host), seats_(host, context),
        limits_(host, context), leases_(host, context) {}

  result<> enter(const register_node_args& args) const;
  result<> vouch(const vouch_args& args) const;
  result<> leave() const;
  result<> remove(const address& account) const;
  result<> accuse(organisation_id accused) const;
  result<> answer() const;
  result<> settle(const address& account) const;

private:
  using record = node_records::record;

  result<> check_statement(const register_node_args& args, const record& of) const;
  /// A certificate of a node that was removed by vote makes nobody a member.
  result<> check_not_removed(const hash32& identity) const;
  /// Fails when there is no seat for it. The answer is the node that has to give its seat up, if any.
  result<std::optional<address>> check_room(organisation_id organisation, node_type role,
                                            const node_slot& status) const;
  void take_seat_of(const address& silent, const address& by) const;
  /// The statement of `args` waits from now on, in place of one that waits already.
  void begin_pending(const register_node_args& args, const record& of) const;
  void make_room_to_wait(organisation_id organisation) const;
  void drop_pending(const record& of) const;
  bool is_stale(const record& of) const;

  /// Whether the live organisations that vouched are enough.
  bool is_vouched_for(const record& of) const;
  /// The waiting statement comes into force.
  result<> admit(const address& account, const record& of) const;
  result<> count_at_once(const register_node_args& args, const record& of) const;
  void put_in_force(const node_statement& what, const record& of) const;
  /// An active node is active no longer; its seat is another matter.
  void end(const record& of) const;
  result<> end_with_seat(const address& account, const record& of) const;

  result<organisation_id> organisation_of_caller(std::initializer_list<node_type> types) const;
  result<> carry_out_removal(const address& account, const record& of, organisation_id by) const;

  template <class Event>
  void emit(const Event& event) const;

  ledger::contract_host& host_;
  const ledger::call_context& context_;
  node_records records_;
  organisation_tallies tallies_;
  seats seats_;
  seat_limits limits_;
  seat_leases leases_;
};

} // namespace swarm::contracts
