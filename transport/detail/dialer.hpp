#pragma once
// The client's side of a connection up to the end of the TLS handshake. Included by .cpp files only.
#include "transport/detail/stream_io.hpp"
#include "transport/proxy/connect.hpp"
#include "transport/tls/detail/tls_handshake.hpp"

#include <memory>
#include <optional>

namespace swarm::transport {

struct dial_options {
  std::chrono::milliseconds connect_timeout; ///< resolve and connect together, and a proxy's part of it
  std::chrono::milliseconds handshake_timeout;
  const proxy_rules* proxies; ///< null: none; they outlive the dialer
};

/// One attempt to reach host:port, directly or by a proxy. The name is looked up anew each time, and it is the name that
/// TLS tells the other side (SNI), so that something in between may choose the server by it. Everything but `phase` belongs to one strand.
class dialer : public std::enable_shared_from_this<dialer> {
public:
  struct secured {
    std::unique_ptr<either_stream> stream;
    peer_info peer;          ///< by a proxy: with the name or address, and the port, that were dialled
    certificate_chain chain; ///< of the other side
  };

  /// `phase` is set to "resolve", "connect", "handshake" in turn when not null; it must outlive `dial`.
  dialer(const asio::any_io_executor& strand, std::shared_ptr<const tls_identity> identity, std::string host,
         std::uint16_t port, dial_options options, std::atomic<const char*>* phase = nullptr);

  /// `resume` may be null. Errors name host, port and phase.
  task<result<secured>> dial(SSL_SESSION* resume);
  /// Makes `dial` end soon with net_errc::cancelled.
  void cancel();
  asio::any_io_executor strand() const { return strand_; }

private:
  using addresses = tcp::resolver::results_type;
  task<result<addresses>> resolve(time_point limit);
  task<> look_up();
  task<result<>> connect(const addresses& where, time_point limit);
  task<result<>> pass_proxy(time_point limit);
  task<result<connect_answer>> read_proxy_answer(beast::tcp_stream& from);
  task<result<>> shake_hands(SSL_SESSION* resume);
  void enter(const char* phase);
  tl::unexpected<error> cancelled() const;
  tl::unexpected<error> out_of_time() const;
  tl::unexpected<error> proxy_fails(proxy_errc code, std::string_view why) const;
  std::string failed_handshake(const error_code& ec) const;
  const endpoint& target() const { return by_ ? by_->where : to_; }

  asio::any_io_executor strand_;
  std::shared_ptr<const tls_identity> identity_;
  endpoint to_;
  const proxy* by_; ///< null: directly
  std::string who_;
  dial_options options_;
  const char* phase_ = "resolve";
  std::atomic<const char*>* shown_phase_;
  bool cancelled_ = false;

  tcp::resolver resolver_;
  wake_up resolved_;
  std::optional<std::pair<error_code, addresses>> found_;
  std::unique_ptr<either_stream> stream_;
  handshake_notes notes_;
};

} // namespace swarm::transport
