#pragma once
// Moving bytes over TLS or plain TCP with limits on standstill. Included by .cpp files only.
#include "transport/detail/asio.hpp"
#include "transport/http/http.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/bind_executor.hpp>

#include <array>

namespace swarm::transport {

/// The first ones of a sequence of buffers that are not empty. To read or write "some" may leave the others for the next time.
template <class Buffer>
class first_buffers {
public:
  using value_type = Buffer;
  using const_iterator = const Buffer*;

  template <class Buffers>
  explicit first_buffers(const Buffers& all) {
    const auto end = asio::buffer_sequence_end(all);
    for (auto at = asio::buffer_sequence_begin(all); at != end && count_ < buffers_.size(); ++at) {
      const Buffer each(*at);
      if (each.size() > 0) buffers_[count_++] = each;
    }
  }
  const_iterator begin() const { return buffers_.data(); }
  const_iterator end() const { return buffers_.data() + count_; }

private:
  std::array<Buffer, 16> buffers_;
  std::size_t count_ = 0;
};

/// A handler of any type, which is one type for what is below. `executor` is for one that has none.
template <class... Args, class Handler>
auto any_handler(Handler handler, const asio::any_io_executor& executor) {
  // Beast 1.81 cannot post by the executor that an `any_completion_handler` has itself.
  asio::any_io_executor by = asio::get_associated_executor(handler, executor);
  return asio::bind_executor(std::move(by),
                             asio::any_completion_handler<void(error_code, Args...)>(std::move(handler)));
}
/// One that `any_handler` made.
template <class... Args>
using any_handler_of =
    asio::executor_binder<asio::any_completion_handler<void(error_code, Args...)>, asio::any_io_executor>;

/// TLS over TCP, or the TCP below it when the other side speaks without TLS. Whatever reads or writes by it is one type of
/// handler for what is below, which is compiled once: Beast's WebSocket alone has seventy.
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
          read(first_buffers<asio::mutable_buffer>(into),
               any_handler<std::size_t>(std::move(handler), get_executor()));
        },
        token, buffers);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, const Buffers& from) {
          write(first_buffers<asio::const_buffer>(from),
                any_handler<std::size_t>(std::move(handler), get_executor()));
        },
        token, buffers);
  }

private:
  using moved = any_handler_of<std::size_t>;
  void read(const first_buffers<asio::mutable_buffer>& into, moved handler);
  void write(const first_buffers<asio::const_buffer>& from, moved handler);

  tls_stream tls_;
  bool plain_ = false;
};

/// Watches that bytes move: `enough` of them within each `limit`, or the pending operation ends with
/// beast::error::timeout. So a transfer may take as long as it needs, but nobody can keep it alive with a
/// trickle of bytes.
class pace {
public:
  pace(either_stream& stream, std::size_t enough, duration limit)
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

/// Writes all of `data`; `written` grows as it goes on.
task<error_code> write_all(either_stream& stream, bytes_view data, pace& watch, std::uint64_t& written);
/// Writes a part of a file through a buffer of bounded size. Fails with asio::error::eof if the file
/// is too short.
task<error_code> write_file(either_stream& stream, int fd, file_slice part, pace& watch,
                            std::uint64_t& written);

/// Ends a connection on which something was just sent (an alert, an error reply) so that the other side can
/// read it. Closing at once, while its bytes still come in, would make the system throw the last words away.
task<> linger(beast::tcp_stream& stream);
/// The TLS handshake, of either side.
task<error_code> shake_hands(tls_stream& stream, asio::ssl::stream_base::handshake_type side);
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
