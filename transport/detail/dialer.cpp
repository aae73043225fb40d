#include "transport/detail/dialer.hpp"

#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>

#include <array>

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
    : strand_(strand), identity_(std::move(identity)), to_{std::move(host), port},
      by_(options.proxies ? options.proxies->proxy_for(to_.host) : nullptr), who_(to_.to_string()),
      options_(options), shown_phase_(phase), resolver_(strand), resolved_(strand) {}

void dialer::enter(const char* phase) {
  phase_ = phase;
  if (shown_phase_) *shown_phase_ = phase;
}

tl::unexpected<error> dialer::cancelled() const {
  return fail(net_errc::cancelled, "{}: {}: cancelled", who_, phase_);
}

/// Whose fault it is nobody can tell: a proxy that waits for the server is silent, too.
tl::unexpected<error> dialer::out_of_time() const {
  return fail(net_errc::timeout, "{}: connect: no answer for {}{}", who_,
              in_seconds(options_.connect_timeout),
              by_ ? fmt::format(" by the proxy {}", by_->shown()) : std::string());
}

tl::unexpected<error> dialer::proxy_fails(proxy_errc code, std::string_view why) const {
  return fail(code, "{}: the proxy {}: {}; correct https_proxy (--proxy), or name the host in no_proxy", who_,
              by_->shown(), why);
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
  if (connected && by_) connected = co_await pass_proxy(limit);
  if (!connected) co_return tl::unexpected(std::move(connected).error());
  enter("handshake");
  auto peer = peer_of(beast::get_lowest_layer(*stream_).socket());
  if (by_) {
    peer.address = to_.host;
    peer.port = to_.port;
  }
  auto shaken = co_await shake_hands(resume);
  if (!shaken) co_return tl::unexpected(std::move(shaken).error());
  auto chain = fill_peer_certificate(stream_->tls().native_handle(), peer, notes_);
  if (!chain) co_return fail(net_errc::handshake, "{}: handshake: {}", who_, failed_handshake({}));
  co_return secured{std::move(stream_), std::move(peer), std::move(*chain)};
}

/// Looks the name up. The system's lookup cannot be interrupted: it goes on in the background when nobody
/// waits for it any more.
task<> dialer::look_up() {
  auto [ec, found] =
      co_await resolver_.async_resolve(target().host, std::to_string(target().port), use_tuple);
  found_.emplace(ec, found);
  resolved_.raise();
}

task<result<dialer::addresses>> dialer::resolve(time_point limit) {
  const auto& [host, port] = target();
  if (cancelled_) co_return cancelled();
  if (is_numeric(host)) {
    tcp::endpoint numeric(asio::ip::make_address(host), port);
    co_return addresses::create(numeric, host, std::to_string(port));
  }
  spawn(strand_, "resolve", [self = shared_from_this()]() { return self->look_up(); });
  while (!found_ && !cancelled_ && std::chrono::steady_clock::now() < limit)
    co_await resolved_.wait_until(limit);
  if (cancelled_) co_return cancelled();
  if (!found_)
    co_return fail(net_errc::timeout, "{}: resolve: no answer about '{}' for {}", who_, host,
                   in_seconds(options_.connect_timeout));
  if (!found_->first) co_return found_->second;
  const auto why = fmt::format("'{}' has no address ({})", host, found_->first.message());
  if (by_) co_return proxy_fails(proxy_errc::unreachable, why);
  co_return fail(net_errc::resolve, "{}: resolve: {}; is the name right?", who_, why);
}

task<result<>> dialer::connect(const addresses& where, time_point limit) {
  stream_ =
      std::make_unique<either_stream>(tls_stream(beast::tcp_stream(strand_), identity_->internals()->client));
  auto& below = beast::get_lowest_layer(*stream_);
  below.expires_at(limit);
  [[maybe_unused]] auto [ec, there] = co_await below.async_connect(where, use_tuple);
  if (cancelled_) co_return cancelled();
  if (ec == beast::error::timeout) co_return out_of_time();
  if (ec && by_) co_return proxy_fails(proxy_errc::unreachable, socket_failure_text(ec));
  if (ec) co_return fail(net_errc::connect, "{}: connect: {}", who_, socket_failure_text(ec));
  set_socket_options(below.socket());
  co_return result<>{};
}

/// Has the proxy open the way, within what is left of the time.
task<result<>> dialer::pass_proxy(time_point limit) {
  auto& below = beast::get_lowest_layer(*stream_);
  below.expires_at(limit);
  const auto request = connect_request(*by_, who_);
  auto [ec, count] = co_await asio::async_write(below, asio::buffer(request), use_tuple);
  if (cancelled_) co_return cancelled();
  if (ec == beast::error::timeout) co_return out_of_time();
  if (ec) co_return proxy_fails(proxy_errc::unreachable, socket_failure_text(ec));
  auto answer = co_await read_proxy_answer(below);
  if (!answer) co_return tl::unexpected(std::move(answer).error());
  co_return judge_connect_answer(*answer, *by_, who_);
}

task<result<connect_answer>> dialer::read_proxy_answer(beast::tcp_stream& from) {
  std::string so_far;
  std::array<char, 1024> piece;
  while (true) {
    auto answer = read_connect_answer(so_far);
    if (!answer) co_return proxy_fails(proxy_errc::malformed, "it answers with " + answer.error().message);
    if (*answer) co_return std::move(**answer);
    auto [ec, count] = co_await from.async_read_some(asio::buffer(piece), use_tuple);
    if (cancelled_) co_return cancelled();
    if (ec == beast::error::timeout) co_return out_of_time();
    if (ec)
      co_return proxy_fails(proxy_errc::malformed,
                            fmt::format("no answer to CONNECT: {}", socket_failure_text(ec)));
    so_far.append(piece.data(), count);
  }
}

/// With the proxy, if there is one: it may be who opens TLS, and shows a certificate of its own.
std::string dialer::failed_handshake(const error_code& ec) const {
  const auto text = handshake_failure_text(who_, ec, notes_, *identity_, false);
  if (!by_) return text;
  if (!notes_.failure || notes_.by_bundles || !is_unknown_ca(notes_.failure))
    return fmt::format("{} (by the proxy {})", text, by_->shown());
  return fmt::format(
      "by the proxy {} comes a certificate from an unknown CA: {} (issued by {}); if the proxy "
      "opens TLS, have it pass {} on unopened, as both sides must see each other's certificates; "
      "if that is the CA of the other side, add it with --cacert or --capath",
      by_->shown(), notes_.failed_subject, notes_.failed_issuer, who_);
}

task<result<>> dialer::shake_hands(SSL_SESSION* resume) {
  auto* ssl = stream_->tls().native_handle();
  if (!is_numeric(to_.host)) SSL_set_tlsext_host_name(ssl, to_.host.c_str());
  if (identity_->internals()->verify_host) notes_.host_to_verify = to_.host;
  attach_notes(ssl, &notes_);
  if (resume) SSL_set_session(ssl, resume);
  beast::get_lowest_layer(*stream_).expires_after(options_.handshake_timeout);
  const auto ec = co_await transport::shake_hands(stream_->tls(), asio::ssl::stream_base::client);
  attach_notes(ssl, nullptr);
  if (cancelled_) co_return cancelled();
  if (ec == beast::error::timeout)
    co_return fail(net_errc::timeout, "{}: handshake: connected, but no end of the TLS handshake for {}{}",
                   who_, in_seconds(options_.handshake_timeout),
                   by_ ? fmt::format(" by the proxy {}", by_->shown()) : std::string());
  if (ec) co_return fail(net_errc::handshake, "{}: handshake: {}", who_, failed_handshake(ec));
  co_return result<>{};
}

} // namespace swarm::transport
