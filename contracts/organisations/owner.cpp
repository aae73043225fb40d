#include "contracts/organisations/owner.hpp"

#include "contracts/organisations/records.hpp"

namespace swarm::contracts {

owner_view owner_of(ledger::contract_host& host, organisation_id organisation) {
  if (organisation == 0) return {};
  return {organisation, organisation_records(host).of(organisation).name()};
}

} // namespace swarm::contracts
