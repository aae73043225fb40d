#pragma once

#include "transport/http/http.hpp"
#include "transport/io_runtime.hpp"
#include "transport/tls/tls_identity.hpp"

#include <chrono>

namespace swarm::transport {

struct ws_options {
  std::size_t message_bytes_max =
      16 * 1024 * 1024; ///< larger incoming messages end the connection (close code 1009)
  std::size_t send_queue_messages_max = 1024;
  std::size_t send_queue_bytes_max = 64 * 1024 * 1024;
  /// Reading pauses while the credits of so many incoming messages, or of so many bytes, are held.
  std::size_t unhandled_messages_max = 64;
  std::size_t unhandled_bytes_max = 16 * 1024 * 1024;
  std::chrono::milliseconds ping_interval{15'000}; ///< a ping is sent after so much silence
  std::chrono::milliseconds dead_after{45'000};    ///< without a byte, the peer counts as gone
  std::chrono::milliseconds handshake_timeout{
      10'000};          ///< connect, TLS and upgrade each; also for the closing handshake
  http_headers headers; ///< client: added to the upgrade request
};

/// One incoming message. Reading pauses while too many credits are held, which slows the sender down. So
/// `credit` must be passed along to where the message is really handled, and be dropped there.
struct ws_message {
  bytes data;
  bool text = false;
  std::shared_ptr<void> credit;

  std::string_view as_text() const { return swarm::as_text(data); }
};

/// Called on the runtime's threads, never two at a time for one connection.
struct ws_callbacks {
  std::function<void(const peer_info&)> on_open; ///< client only
  std::function<void(ws_message)> on_message;
  /// Called exactly once and last, also when connecting failed. The error says who ended the connection and
  /// why; an orderly close by either side has code net_errc::closed and names the close code and reason.
  std::function<void(error)> on_close;
};

/// Close codes of RFC 6455 section 7.4.1.
enum class ws_close_code : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  policy = 1008,
  too_big = 1009,
  internal = 1011,
  try_later = 1013
};

struct ws_status {
  bool open = false;
  bool reading = true; ///< false while it waits for `start`, or for credits: the peer's silence means nothing
  std::size_t queued_messages = 0;
  std::size_t queued_bytes = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_received = 0;
  time_point last_received{}; ///< of the last byte, ping or pong
};

/// One WebSocket over mutual TLS, either side. All functions may be called from any thread. The object may be
/// kept after the connection has ended; dropping it does not close the connection.
class ws_session {
public:
  virtual ~ws_session() = default;

  /// Server side: begins to read. It must be called once. If the connection has ended meanwhile, it
  /// calls on_close.
  virtual void start(ws_callbacks callbacks) = 0;
  /// Queues a message. Fails with net_errc::limit when the queue is full (the message is not sent, the
  /// connection stays), with net_errc::closed when the connection is gone or not yet open.
  virtual result<> send(shared_slice data, bool text) = 0;
  result<> send_text(std::string text) { return send(shared_slice::of(std::move(text)), true); }
  result<> send_binary(bytes raw) { return send(shared_slice::of(std::move(raw)), false); }
  /// Sends what is queued, then closes; on_close follows.
  virtual void close(ws_close_code code = ws_close_code::normal, std::string reason = {}) = 0;
  /// Ends the connection at once; what is queued is not sent. on_close follows.
  virtual void drop(std::string why) = 0;
  virtual ws_status status() const = 0;
};

/// Dials wss://host:port/target once. The result is a handle to send and close with; `callbacks` tell the
/// rest. Callers that want to stay connected dial again after on_close, with a `back_off`.
std::shared_ptr<ws_session> ws_connect(io_runtime& io, std::shared_ptr<const tls_identity> identity,
                                       std::string host, std::uint16_t port, std::string target,
                                       ws_options options, ws_callbacks callbacks);

} // namespace swarm::transport
