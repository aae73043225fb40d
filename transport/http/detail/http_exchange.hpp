#pragma once
// One request and its answer over a connection. Included by .cpp files only.
#include "transport/detail/dialer.hpp"
#include "transport/detail/stream_io.hpp"
#include "transport/http/http_client.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <mutex>

namespace swarm::transport {

/// A connection that may serve several requests, one after another, on one strand.
struct kept_connection {
  std::unique_ptr<either_stream> stream;
  peer_info peer;
  beast::flat_buffer buffer;
  std::uint64_t exchanges = 0;
  std::shared_ptr<void> alive;        ///< as long as the server's certificate holds
  const void* session_seen = nullptr; ///< the TLS session of which a copy was kept

  /// True when the other side has closed it, or sent something without being asked, since the last answer.
  bool is_stale();
};

/// A call, from its beginning to its completion.
struct http_call::state {
  std::string host;
  std::uint16_t port = 0;
  http_request request;
  /// Exactly one of these is set.
  http_client::completion done;
  http_client::on_chunk chunk;
  http_client::fetch_completion fetched;
  std::optional<byte_range> range;

  std::atomic<const char*> phase{"wait"};
  std::atomic<bool> cancelled{false};
  std::atomic<bool> finished{false};
  time_point started = std::chrono::steady_clock::now();
  std::atomic<duration::rep> last_byte{0}; ///< since the clock's epoch
  std::atomic<std::uint64_t> body_received{0};
  std::atomic<bool> answered{false}; ///< any byte of the answer was seen

  std::weak_ptr<http_client::impl> client;

  bool is_fetch() const { return static_cast<bool>(chunk); }
  std::string who() const { return host_port(host, port); }
  /// "; 5 bytes of the body received, the last one 3.0 s ago"
  std::string last_seen() const;
  /// Runs the completion, once.
  void finish(result<http_response> how, const peer_info* peer = nullptr);
};

/// Sends the request of a call and reads the answer; the body goes where the call wants it.
class http_exchange {
public:
  http_exchange(http_call::state& call, kept_connection& over, const tls_identity& identity,
                const http_client_options& options)
      : call_(call), over_(over), identity_(identity), options_(options) {}

  /// Returns the answer (without its body for a fetch). Afterwards `reusable` tells whether the connection
  /// may be kept.
  task<result<http_response>> run();
  bool reusable() const { return reusable_; }

private:
  using parser = beast::http::response_parser<beast::http::buffer_body>;

  task<result<>> send(std::string head);
  task<result<>> read_head(std::unique_ptr<parser>& from);
  task<result<>> read_body(parser& from, http_response& into);
  result<> check_fetch(parser& from, const http_response& response);
  result<> take(bytes_view piece, http_response& into);
  result<> check_length() const;
  error broken(net_errc phase, const error_code& ec) const;
  void saw_bytes(std::size_t count);

  http_call::state& call_;
  kept_connection& over_;
  const tls_identity& identity_;
  const http_client_options& options_;
  std::optional<std::uint64_t> announced_;
  bool wanted_ = true; ///< a fetch with another status than 200 or 206 only collects the text of the error
  bool reusable_ = false;
};

} // namespace swarm::transport
