#include "transport/ws/websocket.hpp"

#include "transport/detail/dialer.hpp"
#include "transport/tls/detail/live_chains.hpp"
#include "transport/ws/detail/ws_link.hpp"

#include <boost/asio/dispatch.hpp>

namespace swarm::transport {

namespace {

struct dial_order {
  std::shared_ptr<ws_shared> shared;
  std::shared_ptr<const tls_identity> identity;
  std::string host;
  std::uint16_t port;
  std::string target;
  ws_callbacks callbacks;
};

/// Connects, up to the finished upgrade.
task<result<std::shared_ptr<ws_link>>> establish(asio::any_io_executor strand, dial_order& order,
                                                 std::shared_ptr<dialer> dialling) {
  auto secured = co_await dialling->dial(nullptr);
  if (!secured) co_return tl::unexpected(std::move(secured).error());
  auto* store = verified_by(secured->stream->tls().native_handle());
  auto link = std::make_shared<ws_link>(strand, std::move(*secured->stream), secured->peer, order.identity,
                                        order.shared, nullptr);
  link->live_while(order.identity->live().add(std::move(secured->chain), presented_by::server, store,
                                              secured->peer, [weak = std::weak_ptr(link)](const error& why) {
                                                const auto here = weak.lock();
                                                if (here)
                                                  asio::post(here->strand(),
                                                             [here, why] { here->kill(why); });
                                              }));
  auto upgraded = co_await link->upgrade(order.host, order.port, order.target);
  if (!upgraded) co_return tl::unexpected(std::move(upgraded).error());
  co_return link;
}

/// Publishes the link, unless the owner closed the session in the meantime.
bool publish(ws_shared& shared, const std::shared_ptr<ws_link>& link) {
  std::lock_guard lock(shared.mutex);
  shared.cancel_dialling = nullptr;
  if (shared.closing) return false;
  shared.link = link;
  shared.status.open = true;
  return true;
}

task<> run_client(asio::any_io_executor strand, dial_order order, std::shared_ptr<dialer> dialling) {
  auto link = co_await establish(strand, order, dialling);
  bool wanted = publish(*order.shared, link ? *link : nullptr);
  if (!link || !wanted) {
    auto why = link ? make_error(net_errc::cancelled, "{}: closed before it was open",
                                 host_port(order.host, order.port))
                    : link.error();
    if (order.callbacks.on_close) order.callbacks.on_close(std::move(why));
    co_return;
  }
  if (order.callbacks.on_open) order.callbacks.on_open((*link)->peer());
  (*link)->start(std::move(order.callbacks));
  co_await (*link)->run();
}

} // namespace

std::shared_ptr<ws_session> ws_connect(io_runtime& io, std::shared_ptr<const tls_identity> identity,
                                       std::string host, std::uint16_t port, std::string target,
                                       ws_options options, ws_callbacks callbacks) {
  asio::any_io_executor strand = asio::make_strand(io.internals().context);
  auto shared = std::make_shared<ws_shared>();
  shared->options = std::move(options);
  dial_options times{shared->options.handshake_timeout, shared->options.handshake_timeout,
                     &io.internals().proxies};
  auto dialling = std::make_shared<dialer>(strand, identity, host, port, times);
  shared->cancel_dialling = [weak = std::weak_ptr(dialling)] {
    auto alive = weak.lock();
    if (alive) asio::post(alive->strand(), [alive] { alive->cancel(); });
  };
  auto order = std::make_shared<dial_order>(dial_order{shared, std::move(identity), std::move(host), port,
                                                       std::move(target), std::move(callbacks)});
  spawn(strand, "wss client",
        [strand, order, dialling]() { return run_client(strand, std::move(*order), dialling); });
  return make_ws_session(shared);
}

} // namespace swarm::transport
