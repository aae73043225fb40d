#pragma once
// The client's side of a connection up to the end of the TLS handshake. Included by .cpp files only.
#include "transport/detail/asio.hpp"
#include "transport/tls/detail/tls_handshake.hpp"

#include <memory>
#include <optional>

namespace swarm::transport {

struct dial_options {
  std::chrono::milliseconds connect_timeout; ///< resolve and connect together
  std::chrono::milliseconds handshake_timeout;
};

/// One attempt to reach host:port. Everything but `phase` belongs to one strand.
class dialer : public std::enable_shared_from_this<dialer> {
public:
  struct secured {
    std::unique_ptr<tls_stream> stream;
    peer_info peer;
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
  task<result<>> shake_hands(SSL_SESSION* resume);
  void enter(const char* phase);
  tl::unexpected<error> cancelled() const;

  asio::any_io_executor strand_;
  std::shared_ptr<const tls_identity> identity_;
  std::string host_;
  std::uint16_t port_;
  std::string who_;
  dial_options options_;
  const char* phase_ = "resolve";
  std::atomic<const char*>* shown_phase_;
  bool cancelled_ = false;

  tcp::resolver resolver_;
  wake_up resolved_;
  std::optional<std::pair<error_code, addresses>> found_;
  std::unique_ptr<tls_stream> stream_;
  handshake_notes notes_;
};

} // namespace swarm::transport
