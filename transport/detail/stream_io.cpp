#include "transport/detail/stream_io.hpp"

#include "base/mapped_file.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace swarm::transport {

namespace {

constexpr std::size_t file_piece_bytes = 256 * 1024;
constexpr std::size_t linger_bytes_max = 64 * 1024;
constexpr std::chrono::seconds linger_time{2};
constexpr std::chrono::seconds goodbye_time{1};
constexpr std::uint8_t tls_handshake_record = 0x16; ///< RFC 8446 section 5.1

} // namespace

void either_stream::read(const first_buffers<asio::mutable_buffer>& into, moved handler) {
  if (plain_)
    next_layer().async_read_some(into, std::move(handler));
  else
    tls_.async_read_some(into, std::move(handler));
}

void either_stream::write(const first_buffers<asio::const_buffer>& from, moved handler) {
  if (plain_)
    next_layer().async_write_some(from, std::move(handler));
  else
    tls_.async_write_some(from, std::move(handler));
}

task<error_code> write_all(either_stream& stream, bytes_view data, pace& watch, std::uint64_t& written) {
  while (!data.empty()) {
    auto buffer = asio::buffer(data.data(), data.size());
    auto [ec, count] = co_await stream.async_write_some(buffer, use_tuple);
    written += count;
    watch.moved(count);
    note_mapped_read(count);
    data = data.subspan(count);
    if (ec) co_return ec;
  }
  co_return error_code{};
}

task<error_code> write_file(either_stream& stream, int fd, file_slice part, pace& watch,
                            std::uint64_t& written) {
  bytes piece(static_cast<std::size_t>(std::min<std::uint64_t>(part.length, file_piece_bytes)));
  while (part.length > 0) {
    auto want = static_cast<std::size_t>(std::min<std::uint64_t>(part.length, piece.size()));
    auto got = pread(fd, piece.data(), want, static_cast<off_t>(part.offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) co_return error_code(errno, boost::system::system_category());
    if (got == 0) co_return asio::error::eof;
    auto count = static_cast<std::size_t>(got);
    auto ec = co_await write_all(stream, bytes_view(piece.data(), count), watch, written);
    if (ec) co_return ec;
    part.offset += count;
    part.length -= count;
  }
  co_return error_code{};
}

task<std::optional<bool>> begins_tls(beast::tcp_stream& stream, duration limit) {
  auto& socket = stream.socket();
  asio::steady_timer timer(stream.get_executor(), limit);
  // The timer's handler may still be in the queue when the socket is gone.
  auto waits = std::make_shared<bool>(true);
  timer.async_wait([waits, &socket](const error_code& ec) {
    error_code ignored;
    if (!ec && *waits) socket.cancel(ignored);
  });
  auto [ec] = co_await socket.async_wait(tcp::socket::wait_read, use_tuple);
  *waits = false;
  timer.cancel();
  std::uint8_t first = 0;
  if (ec || ::recv(socket.native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT) != 1) co_return std::nullopt;
  co_return first == tls_handshake_record;
}

task<> linger(beast::tcp_stream& stream) {
  error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  stream.expires_after(linger_time);
  std::array<char, 4096> waste;
  for (std::size_t total = 0; total < linger_bytes_max;) {
    auto [ec, count] = co_await stream.async_read_some(asio::buffer(waste), use_tuple);
    if (ec) break;
    total += count;
  }
  stream.socket().close(ignored);
}

task<error_code> shake_hands(tls_stream& stream, asio::ssl::stream_base::handshake_type side) {
  auto [ec] = co_await stream.async_handshake(side, use_tuple);
  co_return ec;
}

task<> close_tls(tls_stream& stream) {
  beast::get_lowest_layer(stream).expires_after(goodbye_time);
  [[maybe_unused]] auto [ec] = co_await stream.async_shutdown(use_tuple);
  error_code ignored;
  beast::get_lowest_layer(stream).socket().close(ignored);
}

peer_info peer_of(const tcp::socket& socket) {
  peer_info out;
  error_code ec;
  auto end = socket.remote_endpoint(ec);
  if (ec) return out;
  auto where = end.address();
  // On an IPv6 socket that serves IPv4 too, IPv4 clients appear as ::ffff:a.b.c.d.
  if (where.is_v6() && where.to_v6().is_v4_mapped())
    where = asio::ip::make_address_v4(asio::ip::v4_mapped, where.to_v6());
  out.address = where.to_string();
  out.port = end.port();
  return out;
}

void set_socket_options(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
}

} // namespace swarm::transport
