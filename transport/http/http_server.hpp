#pragma once

#include "transport/http/http.hpp"
#include "transport/io_runtime.hpp"
#include "transport/tls/tls_identity.hpp"
#include "transport/ws/websocket.hpp"

#include <chrono>

namespace swarm::transport {

/// Answers one request, from any thread, now or later. Only the first call counts. When the last copy is
/// dropped without a call, the client gets status 500.
class http_reply {
public:
  struct state;
  explicit http_reply(std::shared_ptr<state> from) : state_(std::move(from)) {}
  void operator()(http_response response) const;

private:
  std::shared_ptr<state> state_;
};

using http_handler = std::function<void(http_request, http_reply)>;
/// Called when a WebSocket was accepted. Nothing is read from it before `session->start(...)`. A session that
/// is not wanted must be closed with a reason.
using ws_accept =
    std::function<void(std::shared_ptr<ws_session> session, std::string target, peer_info peer)>;

/// Takes a WebSocket up, as `ws_accept` does.
using ws_taker = std::function<void(std::shared_ptr<ws_session> session)>;
/// Decides by the request for a WebSocket, whose body is not read, whether there is to be one: an answer in its place,
/// or who takes it up.
using upgrade_handler = std::function<std::variant<http_response, ws_taker>(const http_request&)>;

/// From whom a server takes HTTP without TLS, on the same port: the first byte of a connection tells which it is.
enum class plain_http {
  nobody,
  this_host, ///< from addresses of the loopback interface
  everybody,
};

/// What people call those that a client's certificate stands for; the default is the subject of its anchor.
using organisation_namer = std::function<std::string(const peer_info&)>;

struct http_server_options {
  std::string address = "0.0.0.0"; ///< numeric, IPv4 or IPv6
  std::uint16_t port = 0;          ///< 0: any free one, see `port()`
  std::string name = "https";      ///< what this server is for, in log lines: "API", "files", "P2P"
  std::string log_source = "swarm.net";
  organisation_namer organisation_of; ///< for log and status
  plain_http plain =
      plain_http::nobody; ///< there is no proof of who asks, and no WebSocket but by `on_upgrade`
  /// With TLS: clients that show no certificate are served as well; there is no proof of who asks.
  bool certificates_optional = false;
  upgrade_handler on_upgrade; ///< in place of the acceptor of WebSockets
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t body_bytes_max = 8 * 1024 * 1024; ///< 413 beyond
  /// Connections whose other side has proved who it is; organisations share them (sharing/fair_places.hpp). Whoever
  /// shows no certificate, where that is allowed, counts by address.
  std::size_t connections_max = 2048;
  std::size_t handshakes_max = 256; ///< under way; the addresses share these (sharing/waiting_room.hpp)
  std::size_t bodies_bytes_max = 256 * 1024 * 1024; ///< of all requests under way together; 503 beyond
  std::chrono::milliseconds handshake_timeout{10'000};
  std::chrono::milliseconds header_timeout{10'000}; ///< from the first byte of a header to its end
  std::chrono::milliseconds idle_timeout{60'000};   ///< between requests
  /// While a body is received or sent, this much must move within each `stall_timeout`.
  std::size_t stall_bytes = 4096;
  std::chrono::milliseconds stall_timeout{30'000};
  std::chrono::milliseconds drain_timeout{2'000}; ///< `stop()`: for requests under way
  /// One request of a connection is handled at a time; what a client pipelines waits in its socket.
  ws_options ws;
};

struct http_server_status {
  std::size_t connections = 0; ///< open now, WebSockets and handshakes included
  std::size_t websockets = 0;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;   ///< over their share of connections
  std::uint64_t displaced = 0; ///< of connections: gone for one of somebody who had less
  std::string last_over_share; ///< whose connection was refused or displaced last
  std::size_t handshakes = 0;  ///< of the connections: without a finished handshake
  std::uint64_t handshakes_displaced = 0;
  std::string last_handshake_displaced; ///< from where
  std::uint64_t handshake_failures = 0;
  std::string last_handshake_failure; ///< who and why, as in the log
  std::uint64_t requests = 0;
  std::uint64_t bytes_received = 0; ///< bodies and messages
  std::uint64_t bytes_sent = 0;
};

/// An HTTPS/1.1 server with mutual TLS, WebSockets on the same port, and plain HTTP where the options say so. Handlers run on the runtime's threads.
class http_server {
public:
  /// Listens at once. Without `on_websocket` upgrades are answered with 404.
  /// Errors: net_errc::in_use, net_errc::address.
  static result<std::unique_ptr<http_server>> start(io_runtime& io,
                                                    std::shared_ptr<const tls_identity> identity,
                                                    http_server_options options, http_handler on_request,
                                                    ws_accept on_websocket = {});
  /// Stops.
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// The port that the server listens on.
  std::uint16_t port() const;
  http_server_status status() const;
  /// Ends the connections whose other side has this certificate, at once; returns how many.
  std::size_t end_all_of(const hash32& certificate, const std::string& why);
  /// The certificates of the other sides of all connections.
  std::vector<hash32> certificates() const;
  /// Stops listening, lets requests under way finish for `drain_timeout`, closes WebSockets in order, then
  /// closes everything. Except on an io thread it blocks until every connection is gone, and no handler is
  /// called after it has returned.
  void stop();

  struct impl;

private:
  explicit http_server(std::shared_ptr<impl> from);
  std::shared_ptr<impl> impl_;
};

} // namespace swarm::transport
