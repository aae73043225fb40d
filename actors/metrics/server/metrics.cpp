#include "actors/metrics/server/metrics.hpp"

#include "actors/metrics/server/actor_metrics.hpp"
#include "actors/metrics/server/process_metrics.hpp"
#include "actors/supervision/role_actor.hpp"
#include "actors/supervision/tick.hpp"
#include "base/log.hpp"
#include "transport/http/http_server.hpp"

#include <mutex>

namespace swarm::actors {

using namespace std::chrono_literals;

namespace {

/// Whoever asks more often gets the same text again.
constexpr auto fresh_for = 100ms;
constexpr std::size_t connections_max = 32;
constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

/// Makes the text, on any thread. It holds the environment weakly: the server may be stopped after it.
class scrape {
public:
  scrape(const std::shared_ptr<environment>& env, const std::string& version)
      : env_(env), actors_(env->metrics), process_(env->metrics, version) {}

  std::shared_ptr<const std::string> text() {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (text_ && now - made_at_ < fresh_for) return text_;
    const auto env = env_.lock();
    if (!env) return text_;
    actors_.read(env->dir);
    process_.read();
    text_ = std::make_shared<const std::string>(env->metrics.text());
    made_at_ = now;
    return text_;
  }

private:
  std::weak_ptr<environment> env_;
  std::mutex mutex_; ///< guards what follows
  metrics::actor_metrics actors_;
  metrics::process_metrics process_;
  std::shared_ptr<const std::string> text_;
  std::chrono::steady_clock::time_point made_at_{};
};

struct metrics_state {
  explicit metrics_state(metrics_options o) : options(std::move(o)) {}
  std::string status() const {
    return server ? fmt::format("port {}, {} requests", server->port(), server->status().requests)
                  : std::string("not served");
  }

  metrics_options options;
  std::unique_ptr<transport::http_server> server;
};

using self_pointer = role_actor<metrics_state>*;

/// Whether this host is called by its address or as localhost, as programs here do; a web page that had its own name lead here
/// would let its browser's user read for it.
bool is_named_well(const transport::http_request& request) {
  const auto text = transport::find_header(request.headers, "Host");
  const auto named = split_host_port(text);
  if (!named) return false;
  const auto& host = named->host;
  const bool is_v4 = !host.empty() && host.find_first_not_of("0123456789.") == host.npos;
  return is_v4 || host.find(':') != host.npos || host == "localhost";
}

transport::http_response answer(scrape& from, const transport::http_request& request) {
  if (!request.peer.has_proof() && !is_named_well(request))
    return transport::text_response(
        403, "without a certificate metrics are for programs of this host, which call it "
             "127.0.0.1, [::1] or localhost\n");
  const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (path != "/metrics") return transport::text_response(404, "metrics are at /metrics\n");
  if (request.method != "GET" && request.method != "HEAD")
    return transport::text_response(405, "metrics are read with GET\n");
  const auto text = from.text();
  if (!text) return transport::text_response(503, "this process is about to end\n");
  return transport::text_response(200, *text, content_type);
}

void listen(self_pointer self) {
  auto& s = self->state();
  transport::http_server_options options;
  options.address = s.options.place.host;
  options.port = s.options.place.port;
  options.name = "metrics";
  options.log_source = self->env().log_source;
  options.plain = transport::plain_http::this_host;
  options.connections_max = connections_max;
  options.handshakes_max = connections_max;
  options.body_bytes_max = 0;
  const auto from = std::make_shared<scrape>(self->shared_env(), s.options.version);
  auto server = transport::http_server::start(
      *s.options.io, s.options.identity, std::move(options),
      [from](const transport::http_request& request, const transport::http_reply& reply) {
        reply(answer(*from, request));
      });
  if (!server) return self->fail_start(server.error());
  s.server = std::move(*server);
  log::info(self->env().log_source, "metrics are at http://{}/metrics",
            host_port(s.options.place.host, s.server->port()));
}

caf::behavior metrics_behavior(self_pointer self) {
  listen(self);
  return {[](tick) {}};
}

} // namespace

child_spec metrics_child(metrics_options options) {
  return {.name = "metrics",
          .start = role<metrics_state>(metrics_behavior, std::move(options)),
          .when = restart::permanent,
          .auxiliary = true};
}

} // namespace swarm::actors
