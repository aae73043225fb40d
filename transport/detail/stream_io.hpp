#pragma once
// Moving bytes over TLS or plain TCP with limits on standstill. Included by .cpp files only.
#include "transport/detail/asio.hpp"
#include "transport/http/http.hpp"

namespace swarm::transport {

/// Watches that bytes move: `enough` of them within each `limit`, or the pending operation ends with
/// beast::error::timeout. So a transfer may take as long as it needs, but nobody can keep it alive with a
/// trickle of bytes.
class pace {
public:
  template <class Stream>
  pace(Stream& stream, std::size_t enough, duration limit)
      : stream_(beast::get_lowest_layer(stream)), enough_(enough), limit_(limit) {
    arm();
  }
  void moved(std::size_t count) {
    since_armed_ += count;
    if (since_armed_ >= enough_) arm();
  }

private:
  void arm() {
    since_armed_ = 0;
    stream_.expires_after(limit_);
  }
  beast::tcp_stream& stream_;
  std::size_t enough_;
  duration limit_;
  std::size_t since_armed_ = 0;
};

/// TLS over TCP, or the TCP below it when the other side speaks without TLS.
class either_stream {
public:
  explicit either_stream(tls_stream tls) : tls_(std::move(tls)) {}

  using next_layer_type = beast::tcp_stream;
  using executor_type = beast::tcp_stream::executor_type;
  executor_type get_executor() { return next_layer().get_executor(); }
  beast::tcp_stream& next_layer() { return tls_.next_layer(); }
  const beast::tcp_stream& next_layer() const { return tls_.next_layer(); }
  tls_stream& tls() { return tls_; }
  /// From now on bytes go past TLS.
  void go_plain() { plain_ = true; }
  bool is_plain() const { return plain_; }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, const Buffers& into) {
          if (plain_)
            next_layer().async_read_some(into, std::move(handler));
          else
            tls_.async_read_some(into, std::move(handler));
        },
        token, buffers);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, const Buffers& from) {
          if (plain_)
            next_layer().async_write_some(from, std::move(handler));
          else
            tls_.async_write_some(from, std::move(handler));
        },
        token, buffers);
  }

private:
  tls_stream tls_;
  bool plain_ = false;
};

// Both are there for a `tls_stream` and for an `either_stream`.

/// Writes all of `data`; `written` grows as it goes on.
template <class Stream>
task<error_code> write_all(Stream& stream, bytes_view data, pace& watch, std::uint64_t& written);
/// Writes a part of a file through a buffer of bounded size. Fails with asio::error::eof if the file
/// is too short.
template <class Stream>
task<error_code> write_file(Stream& stream, int fd, file_slice part, pace& watch, std::uint64_t& written);

/// Ends a connection on which something was just sent (an alert, an error reply) so that the other side can
/// read it. Closing at once, while its bytes still come in, would make the system throw the last words away.
task<> linger(beast::tcp_stream& stream);
/// Sends TLS's close and waits shortly for that of the other side.
task<> close_tls(tls_stream& stream);
/// Whether the first byte that comes in begins a TLS handshake; it stays unread. None: nothing came in time.
task<std::optional<bool>> begins_tls(beast::tcp_stream& stream, duration limit);

/// The address of the other end of a connected socket; the certificate is filled in elsewhere.
peer_info peer_of(const tcp::socket& socket);
/// Turns Nagle's delay off and keep-alive probes on.
void set_socket_options(tcp::socket& socket);
/// The bytes that the other side's system has acknowledged so far, or 0 if unknown. It tells a slow reader
/// from a dead one.
std::uint64_t bytes_acknowledged(int fd);

} // namespace swarm::transport
