#pragma once

#include "config/members/member_rules.hpp"
#include "transport/http/http.hpp"
#include "transport/tls/tls_identity.hpp"

#include <optional>

namespace swarm::actors {

/// The answer of an SN or SL to `GET /log/N` (own_log.hpp): the newest lines of this process's log, for SWCIs of `self`'s
/// organisation, and a refusal for anybody else. None: something else is asked for.
std::optional<transport::http_response> log_answer(const transport::http_request& request,
                                                   const transport::tls_identity& self,
                                                   const members::member_rules& rules);

} // namespace swarm::actors
