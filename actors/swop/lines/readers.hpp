#pragma once

#include "actors/swop/lines/last_lines.hpp"
#include "config/members/member_rules.hpp"
#include "transport/http/http.hpp"
#include "transport/tls/tls_identity.hpp"

namespace swarm::swop {

/// Whether this client may read what the programs of `self`'s organisation wrote, which is the one that vouched for its
/// certificate: who may be a SWCI by the rules. None: it may.
std::optional<lines_refusal> refusal_of(const transport::peer_info& client,
                                        const transport::tls_identity& self,
                                        const members::member_rules& rules);

} // namespace swarm::swop
