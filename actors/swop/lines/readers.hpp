#pragma once

#include "actors/swop/lines/last_lines.hpp"
#include "transport/http/http.hpp"
#include "transport/tls/tls_identity.hpp"

namespace swarm::swop {

/// Whether this client may read what the programs of `self`'s organisation wrote, which is the one that vouched for its
/// certificate: a SWCI may, and whoever's certificate (its CN, as gen-cert makes it: "SWCI-1") names no role at all.
/// None: it may.
std::optional<lines_refusal> refusal_of(const transport::peer_info& client,
                                        const transport::tls_identity& self);

} // namespace swarm::swop
