#include "actors/sn/api.hpp"

#include "actors/paths.hpp"
#include "base/log.hpp"
#include "transport/http_server.hpp"

#include <atomic>

namespace swarm::actors {

namespace {

using transport::text_response;

struct api_state {
  explicit api_state(std::shared_ptr<const sn_context> from) : context(std::move(from)) {}

  std::string status() const {
    if (!server) return "not listening";
    const auto now = server->status();
    return fmt::format("port {}, {} connections, {} requests", server->port(), now.connections, now.requests);
  }
  std::string detail_json() const {
    if (!server) return {};
    const auto now = server->status();
    return fmt::format(
        R"({{"port":{},"connections":{},"websockets":{},"accepted":{},"refused":{},"handshake_failures":{},)"
        R"("requests":{},"bytes_received":{},"bytes_sent":{}}})",
        server->port(), now.connections, now.websockets, now.accepted, now.refused, now.handshake_failures,
        now.requests, now.bytes_received, now.bytes_sent);
  }

  std::shared_ptr<const sn_context> context;
  std::unique_ptr<transport::http_server> server;
};

void answer_request(const std::shared_ptr<environment>& env, const std::string& chain,
                    transport::http_request request, const transport::http_reply& reply) {
  if (request.method == "GET" && request.target == "/is_up")
    return reply(env->dir.find(chain) ? text_response(200, "OK")
                                      : text_response(503, "the chain is starting\n"));
  if (request.method != "POST" || request.target != "/")
    return reply(text_response(404, "POST / for JSON-RPC, GET /is_up\n"));
  rpc_request forwarded{std::move(request.body),
                        [reply](std::string text) {
                          if (text.empty()) return reply(text_response(204, {}));
                          reply(text_response(200, std::move(text), "application/json"));
                        },
                        std::move(request.peer), 0};
  if (!env->dir.send(chain, std::move(forwarded))) reply(text_response(503, "the chain is starting\n"));
}

void accept_session(const std::shared_ptr<environment>& env, const std::string& chain,
                    const std::shared_ptr<transport::ws_session>& session, const transport::peer_info& peer,
                    std::uint64_t number) {
  transport::ws_callbacks callbacks;
  std::weak_ptr<transport::ws_session> weak = session;
  callbacks.on_message = [env, chain, weak, peer, number](transport::ws_message message) {
    // The credit goes with the first text, the answer; a subscription keeps the function for its
    // notifications.
    auto reply = [weak, credit = std::make_shared<std::shared_ptr<void>>(message.credit)](std::string text) {
      credit->reset();
      auto to = weak.lock();
      if (!to || text.empty()) return;
      // A client that does not read what it asked for is cut off rather than fed from ever more memory.
      if (auto sent = to->send_text(std::move(text)); !sent && sent.error().is(transport::net_errc::limit))
        to->close(transport::ws_close_code::policy, "too slow: notifications were not read");
    };
    if (!env->dir.send(chain, rpc_request{std::string(message.as_text()), std::move(reply), peer, number})) {
      if (auto to = weak.lock()) to->close(transport::ws_close_code::try_later, "the chain is starting");
    }
  };
  callbacks.on_close = [env, chain, number, session](const error&) {
    env->dir.send(chain, session_gone{number});
  };
  session->start(std::move(callbacks));
}

caf::behavior api_behavior(role_actor<api_state>* self) {
  auto& state = self->state();
  const auto& context = *state.context;
  transport::http_server_options options;
  options.address = context.options.bind_address;
  options.port = context.options.sn_api_port;
  options.name = "API";
  options.log_source = context.log_source;
  auto env = self->shared_env();
  auto chain = sibling(*self, "chain");
  auto numbers = std::make_shared<std::atomic<std::uint64_t>>(0);
  auto server = transport::http_server::start(
      *context.io, context.identity, options,
      [env, chain](transport::http_request request, transport::http_reply reply) {
        answer_request(env, chain, std::move(request), reply);
      },
      [env, chain, numbers](std::shared_ptr<transport::ws_session> session, const std::string&,
                            transport::peer_info peer) {
        accept_session(env, chain, session, peer, ++*numbers);
      });
  if (!server) {
    self->end_process(1, server.error().message);
  } else {
    state.server = std::move(*server);
    log::info(context.log_source, "Starting SWARM-API-SERVER on port: {}", state.server->port());
  }
  return {[](tick) {}};
}

} // namespace

start_function api_actor(std::shared_ptr<const sn_context> context) {
  return role<api_state>(api_behavior, std::move(context));
}

} // namespace swarm::actors
