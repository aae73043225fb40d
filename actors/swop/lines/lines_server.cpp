#include "actors/swop/lines/lines_server.hpp"

#include "actors/swop/lines/offer.hpp"
#include "actors/swop/lines/own_log.hpp"
#include "actors/swop/lines/readers.hpp"
#include "base/endpoint.hpp"
#include "base/log.hpp"

#include <atomic>
#include <mutex>

namespace swarm::swop {

using transport::text_response;

namespace {

constexpr std::size_t head_bytes_max = 4096;
constexpr std::size_t body_bytes_max = 1024; ///< there is nothing to say in a body

} // namespace

struct lines_server::shared {
  std::shared_ptr<const transport::tls_identity> identity;
  std::shared_ptr<const members::member_rules> members;
  std::function<std::string()> offer;
  std::function<std::string(std::uint64_t)> log_after;
  std::string log_source;
  std::atomic<std::uint64_t> refused{0};
  std::mutex mutex;
  answerer who;

  void take(const transport::http_request& request, const transport::http_reply& reply);
};

void lines_server::shared::take(const transport::http_request& request, const transport::http_reply& reply) {
  const auto from = [&] {
    return fmt::format("{} ({})", host_port(request.peer.address, request.peer.port),
                       request.peer.cert_subject);
  };
  if (const auto why = refusal_of(request.peer, *identity, *members)) {
    ++refused;
    log::debug(log_source, "last lines are refused to {}", from());
    return reply(text_response(403, encode_refusal(*why), "application/json"));
  }
  if (request.method != "GET") return reply(text_response(405, "only GET\n"));
  if (request.target == offer_target && offer) return reply(text_response(200, offer(), "application/json"));
  if (const auto after = after_of_target(request.target); after && log_after)
    return reply(text_response(200, log_after(*after), "application/json"));
  const auto wish = wish_of_target(request.target);
  if (!wish) return reply(text_response(404, "there is nothing of that name\n"));
  const std::lock_guard lock(mutex);
  const auto answers = who && who(*wish, [reply](std::string text) {
                         reply(text_response(200, std::move(text), "application/json"));
                       });
  if (!answers) return reply(text_response(503, "try again later\n"));
  if (wish->of_all)
    return log::debug(log_source, "lines of run {} go to {}", wish->part.run, from()); // as they come
  log::info(log_source, "the last lines of run {} go to {}", wish->part.run, from());
}

result<std::unique_ptr<lines_server>>
lines_server::start(transport::io_runtime& io, std::shared_ptr<const transport::tls_identity> identity,
                    lines_server_options options) {
  auto made = std::unique_ptr<lines_server>(new lines_server(std::make_shared<shared>()));
  made->shared_->identity = identity;
  made->shared_->members =
      options.members ? std::move(options.members) : std::make_shared<const members::member_rules>();
  made->shared_->offer = std::move(options.offer);
  made->shared_->log_after = std::move(options.log);
  made->shared_->log_source = options.log_source;
  transport::http_server_options http;
  http.address = std::move(options.address);
  http.port = options.port;
  http.name = "last lines";
  http.log_source = std::move(options.log_source);
  http.header_bytes_max = head_bytes_max;
  http.body_bytes_max = body_bytes_max;
  http.connections_max = options.connections_max;
  http.handshakes_max = options.connections_max;
  http.handshake_timeout = http.header_timeout = http.idle_timeout = http.stall_timeout = options.patience;
  SWARM_TRY(made->server_,
            transport::http_server::start(io, std::move(identity), http,
                                          [shared = made->shared_](const transport::http_request& request,
                                                                   const transport::http_reply& reply) {
                                            shared->take(request, reply);
                                          }));
  return made;
}

void lines_server::answered_by(answerer who) {
  const std::lock_guard lock(shared_->mutex);
  shared_->who = std::move(who);
}

std::uint64_t lines_server::refused() const {
  return shared_->refused;
}

} // namespace swarm::swop
