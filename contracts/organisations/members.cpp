#include "contracts/organisations/members.hpp"

#include "contracts/organisations/records.hpp"

#include <fmt/format.h>

namespace swarm::contracts {

organisation_id organisation_members::organisation_of(const address& account) const {
  const auto status = records_.of(account).status();
  return is_member(host_, status) ? status.organisation : organisation_id{0};
}

std::map<organisation_id, std::uint32_t> organisation_members::counts() const {
  std::map<organisation_id, std::uint32_t> out;
  for (const auto id : tallies_.voting())
    out[id] = tallies_.of(id).voters;
  return out;
}

hash32 creator_key(organisation_id organisation, const address& account) {
  return organisation != 0 ? hash32(u256(organisation)) : key_of(account);
}

std::string creator_name(ledger::contract_host& host, organisation_id organisation, const address& account) {
  if (organisation == 0) return to_hex(account.view());
  return fmt::format("the organisation '{}'", organisation_records(host).of(organisation).name());
}

} // namespace swarm::contracts
