#pragma once

#include "contracts/registry/organisation_tallies.hpp"

#include <map>
#include <string>

namespace swarm::contracts {

/// Which organisation an account belongs to, and how many vote for each. The NodeRegistry knows both.
class organisation_members {
public:
  explicit organisation_members(ledger::contract_host& host) : host_(host), records_(host), tallies_(host) {}

  /// The organisation of which the account is a member in this block, whatever its type; 0 for none.
  organisation_id organisation_of(const address& account) const;
  /// How many SNs and SWCIs each organisation has that has any. Expired ones count until they are settled.
  std::map<organisation_id, std::uint32_t> counts() const;

private:
  ledger::contract_host& host_;
  node_records records_;
  organisation_tallies tallies_;
};

/// Whom limits of what somebody creates count, as the key of a mapping: the organisation, or the account where there are
/// no organisations.
hash32 creator_key(organisation_id organisation, const address& account);
/// The same for people.
std::string creator_name(ledger::contract_host& host, organisation_id organisation, const address& account);

} // namespace swarm::contracts
