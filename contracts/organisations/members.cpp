#include "contracts/organisations/members.hpp"

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

} // namespace swarm::contracts
