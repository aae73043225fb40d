#include "actors/node/log_reading.hpp"

#include "actors/swop/lines/own_log.hpp"
#include "actors/swop/lines/readers.hpp"

namespace swarm::actors {

std::optional<transport::http_response> log_answer(const transport::http_request& request,
                                                   const transport::tls_identity& self,
                                                   const members::member_rules& rules) {
  const auto after = swop::after_of_target(request.target);
  if (!after || request.method != "GET") return std::nullopt;
  if (const auto why = swop::refusal_of(request.peer, self, rules))
    return transport::text_response(403, swop::encode_refusal(*why), "application/json");
  return transport::text_response(200, swop::encode_own_log(log::tail_after(*after, swop::own_log_lines_max)),
                                  "application/json");
}

} // namespace swarm::actors
