#pragma once

#include "contracts/organisations/interface.hpp"

namespace swarm::ledger {
class contract_host;
} // namespace swarm::ledger

namespace swarm::contracts {

/// Whose something on the chain is.
struct owner_view {
  organisation_id organisation = 0; ///< 0: nobody's, as of all that is there from genesis
  std::string name;                 ///< empty once the organisation was removed
  bool operator==(const owner_view&) const = default;
};

/// With the name that the OrganisationRegistry has.
owner_view owner_of(ledger::contract_host& host, organisation_id organisation);

} // namespace swarm::contracts
