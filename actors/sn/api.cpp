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

constexpr std::size_t message_bytes_max = 8 * 1024 * 1024;
/// Of one session: answers that its client has not read yet. Above the largest answer of rpc::service_limits.
constexpr std::size_t unread_answer_bytes_max = 40 * 1024 * 1024;
constexpr std::size_t unread_notification_bytes_max = 4 * 1024 * 1024;

/// Sends the answer to one request of a session and, if it subscribed, its notifications. A client that does
/// not read what it asked for is cut off rather than fed from ever more memory.
class session_sender {
public:
  session_sender(std::weak_ptr<transport::ws_session> to, std::shared_ptr<void> credit, std::string peer,
                 std::string log_source)
      : to_(std::move(to)), credit_(std::move(credit)), peer_(std::move(peer)),
        log_source_(std::move(log_source)) {}

  void send(std::string text) {
    const bool is_answer = std::exchange(credit_, nullptr) != nullptr; // the first text; its request is done
    const auto to = to_.lock();
    if (!to || text.empty()) return;
    if (!is_answer && to->status().queued_bytes > unread_notification_bytes_max) return drop(*to);
    if (const auto sent = to->send_text(std::move(text));
        !sent && sent.error().is(transport::net_errc::limit))
      drop(*to);
  }

private:
  void drop(transport::ws_session& to) {
    if (std::exchange(dropped_, true)) return;
    log::warning(log_source_, "{}: reads its answers and notifications too slowly, {} bytes wait: closing",
                 peer_, to.status().queued_bytes);
    to.close(transport::ws_close_code::policy, "too slow: answers and notifications were not read");
  }

  std::weak_ptr<transport::ws_session> to_;
  std::shared_ptr<void> credit_;
  std::string peer_;
  std::string log_source_;
  bool dropped_ = false;
};

void accept_session(const std::shared_ptr<environment>& env, const std::string& chain,
                    const std::string& log_source, const std::shared_ptr<transport::ws_session>& session,
                    const transport::peer_info& peer, std::uint64_t number) {
  transport::ws_callbacks callbacks;
  std::weak_ptr<transport::ws_session> weak = session;
  callbacks.on_message = [env, chain, log_source, weak, peer, number](transport::ws_message message) {
    const auto sender = std::make_shared<session_sender>(
        weak, std::move(message.credit), transport::host_port(peer.address, peer.port), log_source);
    const auto reply = [sender](std::string text) { sender->send(std::move(text)); };
    if (!env->dir.send(chain, rpc_request{std::string(message.as_text()), reply, peer, number})) {
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
  options.ws.message_bytes_max = message_bytes_max;
  options.ws.send_queue_bytes_max = unread_answer_bytes_max;
  options.log_source = context.log_source;
  auto env = self->shared_env();
  auto chain = sibling(*self, "chain");
  auto numbers = std::make_shared<std::atomic<std::uint64_t>>(0);
  auto server = transport::http_server::start(
      *context.io, context.identity, options,
      [env, chain](transport::http_request request, transport::http_reply reply) {
        answer_request(env, chain, std::move(request), reply);
      },
      [env, chain, numbers, source = context.log_source](std::shared_ptr<transport::ws_session> session,
                                                         const std::string&, transport::peer_info peer) {
        accept_session(env, chain, source, session, peer, ++*numbers);
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
