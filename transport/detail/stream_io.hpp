#pragma once
// Moving bytes over TLS with limits on standstill. Included by .cpp files only.
#include "transport/detail/asio.hpp"
#include "transport/http/http.hpp"

namespace swarm::transport {

/// Watches that bytes move: `enough` of them within each `limit`, or the pending operation ends with
/// beast::error::timeout. So a transfer may take as long as it needs, but nobody can keep it alive with a
/// trickle of bytes.
class pace {
public:
  pace(tls_stream& stream, std::size_t enough, duration limit)
      : stream_(stream), enough_(enough), limit_(limit) {
    arm();
  }
  void moved(std::size_t count) {
    since_armed_ += count;
    if (since_armed_ >= enough_) arm();
  }

private:
  void arm() {
    since_armed_ = 0;
    beast::get_lowest_layer(stream_).expires_after(limit_);
  }
  tls_stream& stream_;
  std::size_t enough_;
  duration limit_;
  std::size_t since_armed_ = 0;
};

/// Writes all of `data`; `written` grows as it goes on.
task<error_code> write_all(tls_stream& stream, bytes_view data, pace& watch, std::uint64_t& written);
/// Writes a part of a file through a buffer of bounded size. Fails with asio::error::eof if the file
/// is too short.
task<error_code> write_file(tls_stream& stream, int fd, file_slice part, pace& watch, std::uint64_t& written);

/// Ends a connection on which something was just sent (an alert, an error reply) so that the other side can
/// read it. Closing at once, while its bytes still come in, would make the system throw the last words away.
task<> linger(beast::tcp_stream& stream);
/// Sends TLS's close and waits shortly for that of the other side.
task<> close_tls(tls_stream& stream);

/// The address of the other end of a connected socket; the certificate is filled in elsewhere.
peer_info peer_of(const tcp::socket& socket);
/// Turns Nagle's delay off and keep-alive probes on.
void set_socket_options(tcp::socket& socket);
/// The bytes that the other side's system has acknowledged so far, or 0 if unknown. It tells a slow reader
/// from a dead one.
std::uint64_t bytes_acknowledged(int fd);

} // namespace swarm::transport
