#include "actors/sn/membership/organisation_places.hpp"

#include "contracts/organisations/client.hpp"

namespace swarm::membership {

result<std::map<hash32, anchor_owner>> read_anchor_owners(const ledger::chain& chain) {
  std::map<hash32, anchor_owner> out;
  for (std::uint64_t first = 0;;) {
    SWARM_TRY(const auto answer, chain.call({.to = contracts::organisation_registry_address(),
                                             .input = contracts::encode(contracts::organisations_args{
                                                 first, contracts::organisations_page_max})}));
    SWARM_TRY(const auto page, contracts::decode_answer<contracts::organisations_args>(answer.output));
    for (const auto& each : page)
      for (const auto& anchor : each.anchors)
        out.emplace(anchor, anchor_owner{each.id, each.limits.p2p_places});
    if (page.size() < contracts::organisations_page_max) return out;
    first += page.size();
  }
}

} // namespace swarm::membership
