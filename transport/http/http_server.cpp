#include "transport/http/http_server.hpp"

#include "base/log.hpp"
#include "transport/http/detail/http_connection.hpp"

#include <boost/asio/ip/v6_only.hpp>

#include <cerrno>

namespace swarm::transport {

namespace {

constexpr std::chrono::milliseconds accept_pause{100};

std::string listen_failure(const std::string& name, const std::string& where, const error_code& ec) {
  if (ec == asio::error::access_denied)
    return fmt::format("{}: cannot listen on {}: ports below 1024 need more rights; choose another port",
                       name, where);
  if (ec.value() == EADDRNOTAVAIL)
    return fmt::format("{}: cannot listen on {}: this machine does not have that address", name, where);
  return fmt::format("{}: cannot listen on {}: {}", name, where, ec.message());
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
  accepting = true;
  spawn(strand, options.name + " listener", [self = shared_from_this()]() { return self->accept_loop(); });
  return {};
}

task<> http_server::impl::accept_loop() {
  auto self = shared_from_this();
  asio::steady_timer pause(strand);
  while (!stopping) {
    asio::any_io_executor next = asio::make_strand(io.internals().context);
    auto [ec, socket] = co_await acceptor.async_accept(next, use_tuple);
    if (stopping || ec == asio::error::operation_aborted) break;
    if (!ec) {
      admit(std::move(socket));
      continue;
    }
    // Files or memory are used up: accepting again at once would fail again.
    log_limited("accept", fmt::format("a connection cannot be accepted: {}", ec.message()));
    pause.expires_after(accept_pause);
    [[maybe_unused]] auto [ignored] = co_await pause.async_wait(use_tuple);
  }
  std::lock_guard lock(mutex);
  accepting = false;
  changed.notify_all();
}

void http_server::impl::admit(tcp::socket socket) {
  auto address = peer_of(socket).address;
  std::uint64_t id = 0;
  std::string_view too_many;
  {
    std::lock_guard lock(mutex);
    if (connections.size() >= options.connections_max) too_many = "all connections are taken";
    auto known = per_address.find(address);
    if (known != per_address.end() && known->second >= options.connections_per_address_max)
      too_many = "it has too many connections already";
    if (too_many.empty()) {
      id = next_id++;
      ++per_address[address];
      connections.emplace(id, std::weak_ptr<http_connection>{});
    }
  }
  if (!too_many.empty()) {
    ++refused;
    log_limited(address,
                fmt::format("a connection from {} is refused: {} (limits: {} in all, {} per address)",
                            address, too_many, options.connections_max, options.connections_per_address_max));
    return;
  }
  ++accepted;
  auto connection = std::make_shared<http_connection>(shared_from_this(), id, std::move(socket));
  {
    std::lock_guard lock(mutex);
    connections[id] = connection;
  }
  spawn(connection->strand(), options.name + " connection", [connection]() { return connection->run(); });
}

void http_server::impl::leave(std::uint64_t id, const std::string& address) {
  std::lock_guard lock(mutex);
  connections.erase(id);
  auto known = per_address.find(address);
  if (known != per_address.end() && --known->second == 0) per_address.erase(known);
  changed.notify_all();
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

/// Calls `what` on every connection, without holding the lock.
void http_server::impl::for_all(void (http_connection::*what)()) {
  std::vector<std::shared_ptr<http_connection>> alive;
  {
    std::lock_guard lock(mutex);
    for (auto& [id, weak] : connections)
      if (auto connection = weak.lock()) alive.push_back(std::move(connection));
  }
  for (auto& connection : alive)
    ((*connection).*what)();
}

void http_server::impl::stop() {
  auto self = shared_from_this();
  if (!stopping.exchange(true) && !io.stopped()) {
    asio::post(strand, [self] {
      error_code ignored;
      self->acceptor.close(ignored);
    });
    for_all(&http_connection::drain);
  }
  if (io.on_io_thread()) {
    io.after(options.drain_timeout, [self] { self->for_all(&http_connection::kill); });
    return;
  }
  auto all_gone = [&] { return (!accepting && connections.empty()) || io.stopped(); };
  std::unique_lock lock(mutex);
  if (changed.wait_for(lock, options.drain_timeout, all_gone)) return;
  lock.unlock();
  for_all(&http_connection::kill);
  lock.lock();
  // The wait looks now and then whether the runtime was stopped, as that ends connections without a notice.
  while (!changed.wait_for(lock, std::chrono::milliseconds{50}, all_gone)) {
  }
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
    out.last_handshake_failure = impl_->last_handshake_failure;
  }
  out.websockets = impl_->websockets;
  out.accepted = impl_->accepted;
  out.refused = impl_->refused;
  out.handshake_failures = impl_->handshake_failures;
  out.requests = impl_->requests;
  out.bytes_received = impl_->traffic->received;
  out.bytes_sent = impl_->traffic->sent;
  return out;
}

void http_server::stop() {
  impl_->stop();
}

} // namespace swarm::transport
