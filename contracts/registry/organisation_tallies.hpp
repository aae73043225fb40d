#pragma once

#include "contracts/organisations/records.hpp"
#include "contracts/registry/node_records.hpp"

namespace swarm::contracts {

/// What the NodeRegistry counts for one organisation, so that nothing has to walk the list of nodes.
struct tally_slot {
  std::uint32_t nodes = 0; ///< active
  std::uint32_t sns = 0;
  std::uint32_t voters = 0;      ///< SNs and SWCIs
  std::uint64_t accused_at = 0;  ///< 0: no accusation is open
  std::uint64_t rests_until = 0; ///< nobody may accuse before
  /// SWOPs and one more, from the first limit of its seats on (seat_limits.hpp); 0: they are not counted.
  std::uint32_t swops_plus_one = 0;
};

/// What the NodeRegistry keeps for each organisation, and questions about all of them, which cost one slot an
/// organisation.
///
///     slot 16            mapping organisation -> tally_slot, number of statements that wait in its name, array of their
///                        accounts
class organisation_tallies {
public:
  explicit organisation_tallies(ledger::contract_host& host)
      : slots_(host, node_registry_address()), organisations_(host) {}

  tally_slot of(organisation_id id) const { return slots_.get<tally_slot>(place(id)); }
  void set(organisation_id id, const tally_slot& tally) const { slots_.put(place(id), tally); }
  /// Counts an active node of `type` in, or out again.
  void count_in(organisation_id id, node_type type) const;
  void count_out(organisation_id id, node_type type) const;
  account_list waiting(organisation_id id) const;

  const organisation_records& organisations() const { return organisations_; }
  /// Whether the chain was begun with organisations; without them nothing of membership applies.
  bool has_organisations() const { return organisations_.last_id() != 0; }

  /// Those whose vouch counts: they have an SN, and no accusation that they left unanswered.
  std::vector<organisation_id> live() const;
  bool is_live(const tally_slot& tally) const;
  /// Those that have a node which can vote for them.
  std::vector<organisation_id> voting() const;

private:
  hash32 place(organisation_id id) const;

  slots slots_;
  organisation_records organisations_;
};

} // namespace swarm::contracts
