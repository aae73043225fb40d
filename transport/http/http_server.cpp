#include "transport/http/http_server.hpp"

#include "base/hash.hpp"
#include "base/log.hpp"
#include "transport/http/detail/http_connection.hpp"

#include <boost/asio/ip/v6_only.hpp>

#include <cerrno>

namespace swarm::transport {

namespace {

std::string listen_failure(const std::string& name, const std::string& where, const error_code& ec) {
  if (ec == asio::error::access_denied)
    return fmt::format("{}: cannot listen on {}: ports below 1024 need more rights; choose another port",
                       name, where);
  if (ec.value() == EADDRNOTAVAIL)
    return fmt::format("{}: cannot listen on {}: this machine does not have that address", name, where);
  return fmt::format("{}: cannot listen on {}: {}", name, where, ec.message());
}

/// Whose connections count together before they say who they are: an IPv4 address, or the 64 bits of an IPv6 address
/// of which its owner gives himself the rest.
std::string address_group(const std::string& address) {
  error_code ec;
  const auto ip = asio::ip::make_address(address, ec);
  if (ec || !ip.is_v6()) return address;
  auto raw = ip.to_v6().to_bytes();
  std::fill(raw.begin() + 8, raw.end(), 0);
  return asio::ip::make_address_v6(raw).to_string();
}

place_owner owner_of(const peer_info& peer) {
  if (peer.anchor) return {peer.anchor->fingerprint, peer.cert_fingerprint};
  return {sha256(as_bytes(address_group(peer.address))), {}};
}

std::string name_of(const http_server_options& options, const peer_info& peer) {
  if (!peer.anchor) return peer.address;
  const auto organisation = options.organisation_of ? options.organisation_of(peer) : peer.anchor->subject;
  return fmt::format("the organisation {} (certificate {}, {})", organisation, peer.cert_subject,
                     peer.address);
}

} // namespace

struct http_reply::state {
  std::mutex mutex;
  bool answered = false;
  std::weak_ptr<http_connection> connection;

  explicit state(std::weak_ptr<http_connection> to) : connection(std::move(to)) {}
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() {
    if (!answered) deliver(text_response(500, "the request was dropped without an answer\n"));
  }
  void deliver(http_response response) {
    if (auto alive = connection.lock()) alive->answer(std::move(response));
  }
};

std::shared_ptr<http_reply::state> make_reply_state(const std::shared_ptr<http_connection>& connection) {
  return std::make_shared<http_reply::state>(connection);
}

void http_reply::operator()(http_response response) const {
  {
    std::lock_guard lock(state_->mutex);
    if (std::exchange(state_->answered, true)) return;
  }
  state_->deliver(std::move(response));
}

result<> http_server::impl::listen() {
  error_code ec;
  auto where = host_port(options.address, options.port);
  auto ip = asio::ip::make_address(options.address, ec);
  if (ec)
    return fail(net_errc::address, "{}: '{}' is no numeric IP address to listen on", options.name,
                options.address);
  tcp::endpoint endpoint(ip, options.port);
  acceptor.open(endpoint.protocol(), ec);
  if (ec) return fail(net_errc::address, "{}", listen_failure(options.name, where, ec));
  acceptor.set_option(asio::socket_base::reuse_address(true), ec);
  if (ip.is_v6()) acceptor.set_option(asio::ip::v6_only(false), ec);
  acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (ec == asio::error::address_in_use)
    return fail(
        net_errc::in_use,
        "{}: port {} on {} is in use by another program; stop that program (find it with: ss -ltnp 'sport = "
        ":{}') or choose another port",
        options.name, options.port, options.address, options.port);
  if (ec) return fail(net_errc::address, "{}", listen_failure(options.name, where, ec));
  port = acceptor.local_endpoint(ec).port();
  begin(options.name + " listener", shared_from_this());
  return {};
}

void http_server::impl::accept_failed(const error_code& ec) {
  log_limited("accept", fmt::format("a connection cannot be accepted: {}", ec.message()));
}

/// A connection gets a place among the handshakes under way, be it that of another one; never that of one whose
/// handshake is done.
void http_server::impl::admit(tcp::socket socket) {
  const auto group = address_group(peer_of(socket).address);
  std::uint64_t id = 0;
  std::shared_ptr<http_connection> goes;
  {
    std::lock_guard lock(mutex);
    id = next_id++;
    connections.emplace(id, std::weak_ptr<http_connection>{});
    goes = find(handshakes.enter(id, group));
  }
  ++accepted;
  if (goes) displace_handshake(*goes);
  run(id, options.name + " connection",
      std::make_shared<http_connection>(shared_from_this(), id, std::move(socket)));
}

std::shared_ptr<http_connection> http_server::impl::find(const std::optional<std::uint64_t>& id) const {
  const auto found = id ? connections.find(*id) : connections.end();
  return found == connections.end() ? nullptr : found->second.lock();
}

void http_server::impl::displace_handshake(http_connection& which) {
  const auto& address = which.address();
  which.end(make_error(net_errc::limit, "{}: it did not finish its handshake before others wanted its place",
                       address));
  ++handshakes_displaced;
  {
    std::lock_guard lock(mutex);
    last_handshake_displaced = address;
  }
  log_limited(
      "handshakes", // one line for all addresses, as there may be many
      fmt::format("{} keeps connections open without a TLS handshake: the oldest of them are closed, as "
                  "others want to connect (at most {} handshakes are under way)",
                  address, options.handshakes_max));
}

bool http_server::impl::settle(std::uint64_t id, const peer_info& peer) {
  fair_places::answer answer;
  std::shared_ptr<http_connection> goes;
  {
    std::lock_guard lock(mutex);
    if (!handshakes.leave(id)) return false; // it has just been displaced
    answer = places.take(id, owner_of(peer));
    goes = find(answer.displaced);
  }
  if (!answer.taken) {
    ++refused;
    note_over_share(peer, "one more is refused");
  } else if (goes) {
    ++displaced;
    note_over_share(goes->peer(), "the newest is closed, as others have fewer");
    goes->end(make_error(net_errc::limit, "its organisation has too many connections, and others want one"));
  }
  return answer.taken;
}

void http_server::impl::note_over_share(const peer_info& of, std::string_view what) {
  const auto who = name_of(options, of);
  auto text =
      fmt::format("{} has its share of connections ({} in all): {}", who, options.connections_max, what);
  {
    std::lock_guard lock(mutex);
    last_over_share = text;
  }
  log_limited("share of " + (of.anchor ? of.anchor->subject : of.address), std::move(text));
}

void http_server::impl::leave(std::uint64_t id) {
  std::lock_guard lock(mutex);
  connections.erase(id);
  handshakes.leave(id);
  places.give_back(id);
  changed.notify_all();
}

std::vector<std::shared_ptr<http_connection>> http_server::impl::settled() {
  std::vector<std::shared_ptr<http_connection>> out;
  std::lock_guard lock(mutex);
  for (const auto& [id, weak] : connections)
    if (places.has(id))
      if (auto connection = weak.lock()) out.push_back(std::move(connection));
  return out;
}

void http_server::impl::report_handshake_failure(const std::string& address, std::string text) {
  ++handshake_failures;
  {
    std::lock_guard lock(mutex);
    last_handshake_failure = text;
  }
  log_limited(address, std::move(text));
}

void http_server::impl::log_limited(const std::string& key, std::string text) {
  auto left_out = limiter.admit(key, std::chrono::steady_clock::now());
  if (!left_out) return;
  if (*left_out > 0) text += fmt::format(" (and {} more such lines left out)", *left_out);
  log::warning(options.log_source, "{}: {}", options.name, text);
}

void http_server::impl::stop() {
  auto self = shared_from_this();
  if (!stopping.exchange(true) && !io.stopped()) {
    stop_accepting(self);
    for_all(&http_connection::drain);
  }
  if (io.on_io_thread()) {
    io.after(options.drain_timeout, [self] { self->for_all(&http_connection::kill); });
    return;
  }
  if (gone_within(options.drain_timeout)) return;
  for_all(&http_connection::kill);
  wait_until_gone();
}

http_server::http_server(std::shared_ptr<impl> from) : impl_(std::move(from)) {}

http_server::~http_server() {
  stop();
}

result<std::unique_ptr<http_server>> http_server::start(io_runtime& io,
                                                        std::shared_ptr<const tls_identity> identity,
                                                        http_server_options options, http_handler on_request,
                                                        ws_accept on_websocket) {
  auto made = std::make_shared<impl>(io, std::move(options));
  made->identity = std::move(identity);
  made->on_request = std::move(on_request);
  made->on_websocket = std::move(on_websocket);
  SWARM_CHECK(made->listen());
  return std::unique_ptr<http_server>(new http_server(std::move(made)));
}

std::uint16_t http_server::port() const {
  return impl_->port;
}

http_server_status http_server::status() const {
  http_server_status out;
  {
    std::lock_guard lock(impl_->mutex);
    out.connections = impl_->connections.size();
    out.handshakes = impl_->handshakes.size();
    out.last_handshake_failure = impl_->last_handshake_failure;
    out.last_handshake_displaced = impl_->last_handshake_displaced;
    out.last_over_share = impl_->last_over_share;
  }
  out.websockets = impl_->websockets;
  out.accepted = impl_->accepted;
  out.refused = impl_->refused;
  out.displaced = impl_->displaced;
  out.handshakes_displaced = impl_->handshakes_displaced;
  out.handshake_failures = impl_->handshake_failures;
  out.requests = impl_->requests;
  out.bytes_received = impl_->traffic->received;
  out.bytes_sent = impl_->traffic->sent;
  return out;
}

std::size_t http_server::end_all_of(const hash32& certificate, const std::string& why) {
  std::size_t out = 0;
  for (const auto& each : impl_->settled()) {
    if (each->peer().cert_fingerprint != certificate) continue;
    each->end(make_error(net_errc::closed, "{}", why));
    ++out;
  }
  return out;
}

std::vector<hash32> http_server::certificates() const {
  std::vector<hash32> out;
  for (const auto& each : impl_->settled())
    if (each->peer().has_proof()) out.push_back(each->peer().cert_fingerprint);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void http_server::stop() {
  impl_->stop();
}

} // namespace swarm::transport
