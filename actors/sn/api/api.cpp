#include "actors/sn/api/api.hpp"

#include "actors/node/log_reading.hpp"
#include "actors/sn/api/admission.hpp"
#include "actors/sn/rpc/byte_budget.hpp"
#include "actors/supervision/paths.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "transport/http/http_server.hpp"

#include <boost/json.hpp>

#include <array>
#include <atomic>
#include <ctime>

namespace swarm::actors {

namespace {

using transport::text_response;

using session_counter = std::shared_ptr<std::atomic<std::uint64_t>>;

struct api_state {
  api_state(std::shared_ptr<const sn_context> from, session_counter counter)
      : context(std::move(from)), numbers(std::move(counter)),
        admits(std::make_shared<admission>(context->members, context->book, context->identity,
                                           context->log_source)) {}

  std::string status() const {
    if (!server) return "not listening";
    const auto now = server->status();
    return fmt::format("port {}, {} connections, {} requests", server->port(), now.connections, now.requests);
  }
  std::string detail_json() const {
    if (!server) return {};
    const auto now = server->status();
    const auto refusals = admits->refusals();
    return boost::json::serialize(
        boost::json::object{{"port", server->port()},
                            {"connections", now.connections},
                            {"websockets", now.websockets},
                            {"accepted", now.accepted},
                            {"refused", now.refused},
                            {"displaced", now.displaced},
                            {"last_over_share", now.last_over_share},
                            {"handshakes", now.handshakes},
                            {"handshakes_displaced", now.handshakes_displaced},
                            {"last_handshake_displaced", now.last_handshake_displaced},
                            {"handshake_failures", now.handshake_failures},
                            {"requests", now.requests},
                            {"bytes_received", now.bytes_received},
                            {"bytes_sent", now.bytes_sent},
                            {"refused_roles", refusals.refused},
                            {"last_refused_role", refusals.last},
                            {"refused_readings", refusals.readings},
                            {"last_refused_reading", refusals.last_reading},
                            {"ended", ended}});
  }

  std::shared_ptr<const sn_context> context;
  session_counter numbers; ///< goes on after restarts, so that no session has the number of an old one
  std::shared_ptr<admission> admits;
  std::unique_ptr<transport::http_server> server;
  std::uint64_t ends_seen = 0; ///< of memberships
  std::uint64_t ended = 0;     ///< connections whose certificate was a member's
};

constexpr std::size_t message_bytes_max = 8 * 1024 * 1024;
constexpr std::size_t session_requests_max =
    16; ///< reading pauses when so many of a session are not answered yet
/// The most bytes of answers that a session's client has not read yet; more than the largest answer
/// of rpc::service_limits.
constexpr std::size_t unread_answer_bytes_max = 40 * 1024 * 1024;
constexpr std::size_t unread_notification_bytes_max = 16 * 1024 * 1024;
constexpr std::size_t unread_messages_max = 65536; ///< a full block has thousands of events

constexpr auto membership_interval =
    std::chrono::seconds(1); ///< between two looks at who is no member any more

using budget_ptr = std::shared_ptr<rpc::byte_budget>;
using admission_ptr = std::shared_ptr<admission>;

/// A text that holds its room in the budget until it was sent.
transport::shared_slice with_room(std::string text, std::shared_ptr<const void> room) {
  struct held {
    std::string text;
    std::shared_ptr<const void> room;
  };
  const auto owner = std::make_shared<const held>(held{std::move(text), std::move(room)});
  return {owner, as_bytes(owner->text)};
}

/// Who asks, without the way back.
rpc::caller caller_of(const transport::peer_info& peer, std::uint64_t session, const admission_ptr& admits) {
  return {.client = peer.cert_fingerprint,
          .organisation = peer.anchor->fingerprint,
          .organisation_name = admits->organisation_of(peer),
          .session = session,
          .may_call = admits->of(peer),
          .may_read = admits->reading_of(peer),
          .reading_refused = admits->refusing(peer),
          .send = {}};
}

/// The date as RFC 9110 has it, so that whoever asks can compare clocks (`swarmd doctor`).
transport::http_response dated(transport::http_response answer) {
  const auto now = static_cast<std::time_t>(unix_seconds());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 40> text{};
  const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  answer.headers.emplace_back("Date", std::string(text.data(), size));
  return answer;
}

void answer_request(const std::shared_ptr<environment>& env, const std::string& rpc, const budget_ptr& budget,
                    const admission_ptr& admits, const sn_context& context, transport::http_request request,
                    const transport::http_reply& reply) {
  if (request.method == "GET" && request.target == "/is_up")
    return reply(
        dated(env->dir.find(rpc) ? text_response(200, "OK") : text_response(503, "the chain is starting\n")));
  if (auto log = log_answer(request, *context.identity, *context.members)) return reply(std::move(*log));
  if (request.method != "POST" || request.target != "/")
    return reply(text_response(404, "POST / for JSON-RPC, GET /is_up, GET /log/N\n"));
  auto from = caller_of(request.peer, 0, admits);
  const auto asked = budget->hold(from.of(), request.body.size());
  if (!asked) return reply(text_response(503, "too many bytes of requests and answers are under way\n"));
  from.send = [reply, budget, of = from.of(), asked](std::string text) {
    if (text.empty()) return reply(text_response(204, {}));
    auto room = budget->hold(of, text.size());
    if (!room) return reply(text_response(503, "too many answers wait to be read\n"));
    auto response = text_response(200, {}, "application/json");
    response.slice = with_room(std::move(text), std::move(room));
    reply(std::move(response));
  };
  if (!env->dir.send(rpc, rpc_request{std::move(request.body), std::move(from)}))
    reply(text_response(503, "the chain is starting\n"));
}

/// A WebSocket. A client that does not read what it asked for is disconnected, so that it neither uses ever
/// more memory nor makes others wait.
class api_session {
public:
  api_session(std::weak_ptr<transport::ws_session> to, const transport::peer_info& peer, budget_ptr budget,
              std::string log_source)
      : to_(std::move(to)), of_{peer.anchor->fingerprint, peer.cert_fingerprint},
        peer_(host_port(peer.address, peer.port)), budget_(std::move(budget)),
        log_source_(std::move(log_source)) {}

  std::shared_ptr<const void> room_for(std::size_t bytes) { return budget_->hold(of_, bytes); }
  void answer(std::string text) { send(std::move(text)); }
  void notify(std::string text) {
    const auto to = to_.lock();
    if (to && to->status().queued_bytes > unread_notification_bytes_max) return drop(*to);
    send(std::move(text));
  }
  void close(transport::ws_close_code code, std::string reason) {
    if (const auto to = to_.lock()) to->close(code, std::move(reason));
  }

private:
  void send(std::string text) {
    const auto to = to_.lock();
    if (!to || text.empty() || dropped_) return;
    auto room = room_for(text.size());
    if (!room) return drop(*to);
    if (const auto sent = to->send(with_room(std::move(text), std::move(room)), true);
        !sent && sent.error().is(transport::net_errc::limit))
      drop(*to);
  }
  void drop(transport::ws_session& to) {
    if (dropped_.exchange(true)) return;
    log::warning(log_source_, "{}: reads its answers and notifications too slowly, {} bytes wait: closing",
                 peer_, to.status().queued_bytes);
    to.close(transport::ws_close_code::policy, "too slow: answers and notifications were not read");
  }

  std::weak_ptr<transport::ws_session> to_;
  rpc::party of_;
  std::string peer_;
  budget_ptr budget_;
  std::string log_source_;
  std::atomic<bool> dropped_ = false;
};

/// A function that sends the answer to one message and, if that subscribed, its notifications.
std::function<void(std::string)> replier(std::shared_ptr<api_session> on, std::shared_ptr<void> credit,
                                         std::shared_ptr<const void> room) {
  struct under_way {
    std::shared_ptr<void> credit;
    std::shared_ptr<const void> room;
    bool answered = false;
  };
  const auto request = std::make_shared<under_way>(under_way{std::move(credit), std::move(room)});
  return [on = std::move(on), request](std::string text) {
    if (std::exchange(request->answered, true)) return on->notify(std::move(text));
    *request = {nullptr, nullptr, true};
    on->answer(std::move(text));
  };
}

void accept_session(const std::shared_ptr<environment>& env, const std::string& rpc,
                    const std::shared_ptr<transport::ws_session>& session,
                    const std::shared_ptr<api_session>& served, const transport::peer_info& peer,
                    const admission_ptr& admits, std::uint64_t number) {
  transport::ws_callbacks callbacks;
  callbacks.on_message = [env, rpc, served,
                          from = caller_of(peer, number, admits)](transport::ws_message message) {
    auto room = served->room_for(message.data.size());
    if (!room)
      return served->close(transport::ws_close_code::try_later,
                           "too many bytes of requests and answers are under way");
    rpc_request request{std::string(message.as_text()), from};
    request.from.send = replier(served, std::move(message.credit), std::move(room));
    if (!env->dir.send(rpc, std::move(request)))
      served->close(transport::ws_close_code::try_later, "the chain is starting");
  };
  callbacks.on_close = [env, rpc, number, session](const error&) {
    env->dir.send(rpc, session_gone{number});
  };
  session->start(std::move(callbacks));
}

/// Connections end with the membership of their certificate.
void end_connections(api_state& s) {
  for (const auto& each : s.context->book->ended_since(s.ends_seen)) {
    if (each.how == membership::ended_membership::cause::left) continue; // it ends by itself
    if (each.shared || each.identity == s.context->identity->fingerprint()) continue;
    const auto count = s.server->end_all_of(each.identity, each.why);
    s.ended += count;
    if (count > 0) log::info(s.context->log_source, "API: {} connections end, as {}", count, each.why);
  }
}

caf::behavior api_behavior(role_actor<api_state>* self) {
  auto& state = self->state();
  const auto& context = *state.context;
  transport::http_server_options options;
  options.address = context.options.bind_address;
  options.port = context.options.sn_api_port;
  options.name = "API";
  options.ws.message_bytes_max = message_bytes_max;
  options.ws.unhandled_messages_max = session_requests_max;
  options.ws.send_queue_bytes_max = unread_answer_bytes_max;
  options.ws.send_queue_messages_max = unread_messages_max;
  options.log_source = context.log_source;
  options.organisation_of = [members = context.members](const transport::peer_info& peer) {
    return members::organisation_of({*peer.certificate, *peer.anchor}, *members);
  };
  auto env = self->shared_env();
  auto rpc = sibling(*self, "rpc");
  const auto budget = rpc::byte_budget::make({});
  auto server = transport::http_server::start(
      *context.io, context.identity, options,
      [env, rpc, budget, admits = state.admits, shared = state.context](transport::http_request request,
                                                                        const transport::http_reply& reply) {
        answer_request(env, rpc, budget, admits, *shared, std::move(request), reply);
      },
      [env, rpc, budget, admits = state.admits, numbers = state.numbers,
       source = context.log_source](const std::shared_ptr<transport::ws_session>& session, const std::string&,
                                    const transport::peer_info& peer) {
        const auto served = std::make_shared<api_session>(session, peer, budget, source);
        accept_session(env, rpc, session, served, peer, admits, ++*numbers);
      });
  if (!server) {
    self->fail_start(server.error());
  } else {
    state.server = std::move(*server);
    log::info(context.log_source, "Starting SWARM-API-SERVER on port: {}", state.server->port());
  }
  self->delayed_send(self, membership_interval, tick{});
  return {[=](tick) {
    if (self->state().server) end_connections(self->state());
    self->delayed_send(self, membership_interval, tick{});
  }};
}

} // namespace

start_function api_actor(std::shared_ptr<const sn_context> context) {
  return role<api_state>(api_behavior, std::move(context), std::make_shared<std::atomic<std::uint64_t>>(0));
}

} // namespace swarm::actors
