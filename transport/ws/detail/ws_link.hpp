#pragma once
// A connected WebSocket, either side. Included by .cpp files only.
#include "transport/detail/stream_io.hpp"
#include "transport/tls/detail/tls_handshake.hpp"
#include "transport/ws/websocket.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <deque>
#include <mutex>
#include <optional>

namespace swarm::transport {

class ws_link;

/// Bytes of bodies and messages, for status displays.
struct traffic_counters {
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> sent{0};
};

/// What a session's owner and the connection share. It outlives both and is guarded by `mutex`.
struct ws_shared {
  struct outgoing {
    shared_slice data;
    bool text = false;
  };
  struct close_request {
    ws_close_code code;
    std::string reason;
  };

  /// The caller holds the mutex.
  bool may_read() const {
    return unhandled.messages < options.unhandled_messages_max
           && unhandled.bytes < options.unhandled_bytes_max;
  }

  mutable std::mutex mutex;
  ws_options options;
  std::weak_ptr<ws_link> link;           ///< empty before it is connected and after it has ended
  std::function<void()> cancel_dialling; ///< while a client connects
  std::deque<outgoing> queue;
  std::optional<close_request> closing;
  bool writer_idle = false; ///< only then it must be woken
  struct {
    std::size_t messages = 0, bytes = 0;
  } unhandled; ///< whose credits are held by the receivers
  ws_status status;
};

/// Runs one connection on one strand: a reader, a writer and a watch loop that pings. All functions but
/// `session`, and those that say otherwise, must be called on that strand.
class ws_link : public std::enable_shared_from_this<ws_link> {
public:
  using upgrade_request = beast::http::request<beast::http::string_body>;

  ws_link(const asio::any_io_executor& strand, either_stream stream, peer_info peer,
          std::shared_ptr<const tls_identity> identity, std::shared_ptr<ws_shared> shared,
          std::shared_ptr<traffic_counters> traffic);

  /// Server: answers the upgrade.
  task<result<>> accept(const upgrade_request& request);
  /// Client: asks for the upgrade.
  task<result<>> upgrade(const std::string& host, std::uint16_t port, const std::string& target);
  /// Runs until the connection has ended and on_close was called.
  task<> run();
  /// Sets the owner's callbacks and begins to read.
  void start(ws_callbacks callbacks);
  /// Sends what is queued, then closes.
  void close(ws_close_code code, std::string reason);
  /// Ends at once; on_close gets `why`.
  void kill(error why);

  /// Keeps what watches the other side's certificate as long as the link lives.
  void live_while(std::shared_ptr<void> alive) { alive_ = std::move(alive); }

  /// Tells the writer that there is something to send or to close; may be called from any thread.
  static void wake_writer(const std::shared_ptr<ws_shared>& shared);
  /// Tells the reader that a credit came back; may be called from any thread.
  static void wake_reader(const std::shared_ptr<ws_shared>& shared);
  asio::any_io_executor strand() const { return strand_; }
  const peer_info& peer() const { return peer_; }

private:
  task<> read_loop();
  task<bool> may_read();
  task<error_code> read_message(bytes& data);
  task<> refuse_message();
  void heard();
  void deliver(bytes data);
  task<> write_loop();
  task<> watch_loop();
  void look_after_silence(time_point now);
  task<> ping();
  /// The reason for a failed read or write.
  error cause_of(const error_code& ec) const;
  void end(error why);
  void finish();

  asio::any_io_executor strand_;
  // Without compression: nobody asks for it, and its code would take a minute to compile.
  beast::websocket::stream<either_stream, false> stream_;
  peer_info peer_;
  std::string who_;
  std::shared_ptr<const tls_identity> identity_;
  std::shared_ptr<ws_shared> shared_;
  std::shared_ptr<traffic_counters> traffic_;
  ws_options options_;
  std::optional<ws_callbacks> callbacks_;
  std::optional<error> cause_;
  std::optional<error> verdict_; ///< what the peer did wrong; the cause, once it was told
  wake_up reader_wake_;
  wake_up writer_wake_;
  wake_up watch_wake_;
  time_point last_heard_;
  std::uint64_t acknowledged_ = 0;
  bool reading_ = false; ///< not while it waits for `start` or for credits
  bool ping_under_way_ = false;
  std::shared_ptr<void> alive_;
  bool finished_ = false;
};

/// The handle that owners hold.
std::shared_ptr<ws_session> make_ws_session(std::shared_ptr<ws_shared> shared);

} // namespace swarm::transport
