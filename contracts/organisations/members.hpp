#pragma once

#include "contracts/organisations/interface.hpp"
#include "contracts/runtime/slots.hpp"

#include <map>

namespace swarm::contracts {

/// Which organisation an account votes for. This is the one place that knows: registrations do not say yet to which
/// organisation a node belongs, so the founders' validators of the genesis block are all there are. Once the records
/// of the NodeRegistry say it, both questions are answered from there, and the slots here go.
///
///     slot 8  number of accounts
///     slot 9  array of them, each with its organisation
class organisation_members {
public:
  explicit organisation_members(ledger::contract_host& host)
      : organisation_members(slots(host, organisation_registry_address())) {}
  explicit organisation_members(const slots& in) : slots_(in) {}

  /// 0 for an account that is no active node, or of no organisation. The organisation may be removed.
  organisation_id organisation_of(const address& account) const;
  /// How many accounts vote for each organisation that has any.
  std::map<organisation_id, std::uint32_t> counts() const;

  /// At genesis only.
  void add(const address& account, organisation_id organisation) const;

private:
  struct entry {
    address account;
    organisation_id organisation = 0;
  };
  std::uint64_t size() const;
  entry at(std::uint64_t index) const;
  bool is_active(const address& account) const;

  slots slots_;
};

} // namespace swarm::contracts
