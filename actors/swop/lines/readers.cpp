#include "actors/swop/lines/readers.hpp"

namespace swarm::swop {

std::optional<lines_refusal> refusal_of(const transport::peer_info& client,
                                        const transport::tls_identity& self,
                                        const members::member_rules& rules) {
  if (!client.certificate || !client.anchor || !self.shares_anchor(*client.anchor))
    return lines_refusal::other_organisation;
  const members::proved who{*client.certificate, *client.anchor};
  if (!members::roles_of(who, rules).has(members::role::swci)) return lines_refusal::no_swci;
  return std::nullopt;
}

} // namespace swarm::swop
