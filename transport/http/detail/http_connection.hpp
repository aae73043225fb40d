#pragma once
// One connection of an http_server. Included by .cpp files only.
#include "transport/detail/listener.hpp"
#include "transport/detail/log_limiter.hpp"
#include "transport/detail/stream_io.hpp"
#include "transport/http/http_server.hpp"
#include "transport/sharing/fair_places.hpp"
#include "transport/sharing/waiting_room.hpp"
#include "transport/tls/detail/tls_handshake.hpp"
#include "transport/ws/detail/ws_link.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace swarm::transport {

class http_connection;

/// What the listener and all connections of a server share.
struct http_server::impl : listener<tcp, http_connection>, std::enable_shared_from_this<http_server::impl> {
  std::shared_ptr<const tls_identity> identity;
  http_server_options options;
  http_handler on_request;
  ws_accept on_websocket;
  std::uint16_t port = 0;

  // Guarded by the listener's mutex.
  waiting_room<std::string> handshakes; ///< by address
  fair_places places;                   ///< of connections whose handshake is done
  std::string last_handshake_failure;
  std::string last_handshake_displaced;
  std::string last_over_share;

  std::atomic<std::size_t> body_bytes{0};
  std::atomic<std::size_t> websockets{0};
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> displaced{0};
  std::atomic<std::uint64_t> handshakes_displaced{0};
  std::atomic<std::uint64_t> handshake_failures{0};
  std::atomic<std::uint64_t> requests{0};
  std::shared_ptr<traffic_counters> traffic = std::make_shared<traffic_counters>();
  log_limiter limiter{std::chrono::seconds{10}};

  impl(io_runtime& runtime, http_server_options given)
      : listener(runtime), options(std::move(given)), handshakes(options.handshakes_max),
        places(options.connections_max) {}

  result<> listen();
  void admit(tcp::socket socket) override;
  void accept_failed(const error_code& ec) override;
  /// The other side of a connection has proved who it is, or need not. False: it has no place and must end.
  bool settle(std::uint64_t id, const peer_info& peer);
  void leave(std::uint64_t id);
  /// The connections that have a place, with who is on the other side.
  std::vector<std::shared_ptr<http_connection>> settled();
  void report_handshake_failure(const std::string& address, std::string text);
  void log_limited(const std::string& key, std::string text);
  void stop();

private:
  /// The connection with this id, if it lives. The caller holds the mutex.
  std::shared_ptr<http_connection> find(const std::optional<std::uint64_t>& id) const;
  void displace_handshake(http_connection& which);
  void note_over_share(const peer_info& of, std::string_view what);
};

class http_connection : public std::enable_shared_from_this<http_connection> {
public:
  http_connection(std::shared_ptr<http_server::impl> server, std::uint64_t id, tcp::socket socket);
  ~http_connection();
  http_connection(const http_connection&) = delete;
  http_connection& operator=(const http_connection&) = delete;

  /// Who the other side is; only once the connection has been settled.
  const peer_info& peer() const { return peer_; }
  const std::string& address() const { return address_; }
  asio::any_io_executor strand() const { return strand_; }
  task<> run();
  /// Sends the answer; may be called from any thread.
  void answer(http_response response);
  /// Ends after the request under way; may be called from any thread.
  void drain();
  /// Ends at once; may be called from any thread.
  void kill();
  /// The same, for a reason; may be called from any thread.
  void end(const error& why);

private:
  using parser = beast::http::request_parser<beast::http::string_body>;
  enum class outcome { next, close, gone };

  task<bool> begin();
  task<bool> learn_peer();
  task<bool> shake_hands();
  void report_handshake_failure(const error_code& ec);
  task<> serve();
  task<bool> wait_for_request();
  task<outcome> one_exchange();
  task<bool> read_head(parser& from);
  task<bool> read_body(parser& from);
  task<outcome> refuse(unsigned status, std::string_view why);
  task<outcome> respond(parser& from);
  task<bool> send(const http_response& response, bool head_only, bool keep_alive);
  task<bool> send_body(const http_response& response, std::string head, bool head_only);
  std::variant<http_response, ws_taker> taker_of(const parser& from);
  task<> serve_websocket(parser& from, const ws_taker& taker);
  http_request head_of(const parser::value_type& message) const;
  void hand_over(parser& from);
  bool reserve_body(parser& from);
  void release_body();

  std::shared_ptr<http_server::impl> server_;
  std::uint64_t id_;
  const std::string address_; ///< of the other side
  asio::any_io_executor strand_;
  std::optional<either_stream> stream_;
  peer_info peer_;
  handshake_notes notes_;
  beast::flat_buffer buffer_;
  wake_up answered_;
  std::optional<http_response> response_;
  std::shared_ptr<ws_link> websocket_;
  std::size_t reserved_bytes_ = 0;
  std::shared_ptr<void> alive_; ///< as long as the client's certificate holds
  bool idle_ = false;
  bool has_ticket_ = false;
  bool draining_ = false;
  bool killed_ = false;
};

/// A reply that answers through `connection` as long as that lives.
std::shared_ptr<http_reply::state> make_reply_state(const std::shared_ptr<http_connection>& connection);

} // namespace swarm::transport
