#include "transport/detail/dialer.hpp"

#include "transport/detail/stream_io.hpp"

#include <boost/asio/ssl/error.hpp>

namespace swarm::transport {

namespace {

std::string in_seconds(std::chrono::milliseconds time) {
  return fmt::format("{:g} s", std::chrono::duration<double>(time).count());
}

bool is_numeric(const std::string& host) {
  error_code ec;
  asio::ip::make_address(host, ec);
  return !ec;
}

} // namespace

dialer::dialer(const asio::any_io_executor& strand, std::shared_ptr<const tls_identity> identity,
               std::string host, std::uint16_t port, dial_options options, std::atomic<const char*>* phase)
    : strand_(strand), identity_(std::move(identity)), host_(std::move(host)), port_(port),
      who_(host_port(host_, port_)), options_(options), shown_phase_(phase), resolver_(strand),
      resolved_(strand) {}

void dialer::enter(const char* phase) {
  phase_ = phase;
  if (shown_phase_) *shown_phase_ = phase;
}

tl::unexpected<error> dialer::cancelled() const {
  return fail(net_errc::cancelled, "{}: {}: cancelled", who_, phase_);
}

void dialer::cancel() {
  cancelled_ = true;
  resolver_.cancel();
  resolved_.raise();
  if (stream_) beast::get_lowest_layer(*stream_).close();
}

task<result<dialer::secured>> dialer::dial(SSL_SESSION* resume) {
  auto self = shared_from_this();
  auto limit = std::chrono::steady_clock::now() + options_.connect_timeout;
  enter("resolve");
  auto where = co_await resolve(limit);
  if (!where) co_return tl::unexpected(std::move(where).error());
  enter("connect");
  auto connected = co_await connect(*where, limit);
  if (!connected) co_return tl::unexpected(std::move(connected).error());
  enter("handshake");
  auto peer = peer_of(beast::get_lowest_layer(*stream_).socket());
  auto shaken = co_await shake_hands(resume);
  if (!shaken) co_return tl::unexpected(std::move(shaken).error());
  auto chain = fill_peer_certificate(stream_->native_handle(), peer, notes_);
  if (!chain)
    co_return fail(net_errc::handshake, "{}: handshake: {}", who_,
                   handshake_failure_text(who_, {}, notes_, *identity_, false));
  co_return secured{std::move(stream_), std::move(peer), std::move(*chain)};
}

/// Looks the name up. The system's lookup cannot be interrupted: it goes on in the background when nobody
/// waits for it any more.
task<> dialer::look_up() {
  auto [ec, found] = co_await resolver_.async_resolve(host_, std::to_string(port_), use_tuple);
  found_.emplace(ec, found);
  resolved_.raise();
}

task<result<dialer::addresses>> dialer::resolve(time_point limit) {
  if (cancelled_) co_return cancelled();
  if (is_numeric(host_)) {
    tcp::endpoint endpoint(asio::ip::make_address(host_), port_);
    co_return addresses::create(endpoint, host_, std::to_string(port_));
  }
  spawn(strand_, "resolve", [self = shared_from_this()]() { return self->look_up(); });
  while (!found_ && !cancelled_ && std::chrono::steady_clock::now() < limit)
    co_await resolved_.wait_until(limit);
  if (cancelled_) co_return cancelled();
  if (!found_)
    co_return fail(net_errc::timeout, "{}: resolve: no answer about '{}' for {}", who_, host_,
                   in_seconds(options_.connect_timeout));
  if (found_->first)
    co_return fail(net_errc::resolve, "{}: resolve: '{}' has no address ({}); is the name right?", who_,
                   host_, found_->first.message());
  co_return found_->second;
}

task<result<>> dialer::connect(const addresses& where, time_point limit) {
  stream_ = std::make_unique<tls_stream>(beast::tcp_stream(strand_), identity_->internals()->client);
  auto& below = beast::get_lowest_layer(*stream_);
  below.expires_at(limit);
  [[maybe_unused]] auto [ec, endpoint] = co_await below.async_connect(where, use_tuple);
  if (cancelled_) co_return cancelled();
  if (ec == beast::error::timeout)
    co_return fail(net_errc::timeout, "{}: connect: no answer for {}", who_,
                   in_seconds(options_.connect_timeout));
  if (ec) co_return fail(net_errc::connect, "{}: connect: {}", who_, socket_failure_text(ec));
  set_socket_options(below.socket());
  co_return result<>{};
}

task<result<>> dialer::shake_hands(SSL_SESSION* resume) {
  auto* ssl = stream_->native_handle();
  if (!is_numeric(host_)) SSL_set_tlsext_host_name(ssl, host_.c_str());
  if (identity_->internals()->verify_host) notes_.host_to_verify = host_;
  attach_notes(ssl, &notes_);
  if (resume) SSL_set_session(ssl, resume);
  beast::get_lowest_layer(*stream_).expires_after(options_.handshake_timeout);
  auto [ec] = co_await stream_->async_handshake(asio::ssl::stream_base::client, use_tuple);
  attach_notes(ssl, nullptr);
  if (cancelled_) co_return cancelled();
  if (ec == beast::error::timeout)
    co_return fail(net_errc::timeout, "{}: handshake: connected, but no end of the TLS handshake for {}",
                   who_, in_seconds(options_.handshake_timeout));
  if (ec)
    co_return fail(net_errc::handshake, "{}: handshake: {}", who_,
                   handshake_failure_text(who_, ec, notes_, *identity_, false));
  co_return result<>{};
}

} // namespace swarm::transport
