#pragma once
// What the sources of transport share about Asio. Included by .cpp files only.
#include "transport/errors.hpp"
#include "transport/io_runtime.hpp"
#include "transport/proxy/proxy.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/version.hpp>

#include <atomic>
#include <thread>
#include <vector>

namespace swarm::transport {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

template <class T = void>
using task = asio::awaitable<T>;
/// `auto [ec, n] = co_await stream.async_read_some(buffer, use_tuple);`
inline constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

/// Makes the error that `fail` would return, for places that return no result.
template <class... Args>
error make_error(net_errc code, fmt::format_string<Args...> text, Args&&... args) {
  return fail(code, text, std::forward<Args>(args)...).value();
}

/// TLS over TCP with timeouts below it. It writes gathered buffers as one record. From Boost 1.86 on Asio
/// does so itself, and Beast's wrapper is deprecated.
#if BOOST_VERSION >= 108600
using tls_stream = asio::ssl::stream<beast::tcp_stream>;
#else
using tls_stream = beast::ssl_stream<beast::tcp_stream>;
#endif

struct io_runtime::impl {
  asio::io_context context;
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::vector<std::thread> threads;
  std::atomic<bool> stopped{false};
  proxy_rules proxies; ///< does not change once something is dialled
};

/// Starts `fn()`, a coroutine function, on `executor`. An exception that leaves it is a fault of this
/// program: it is logged under `what` and the coroutine ends. The coroutine never starts inside this call.
void spawn(const asio::any_io_executor& executor, std::string what, std::function<task<>()> fn);

/// A condition for which coroutines of one strand wait and which functions of the same strand raise.
class wake_up {
public:
  explicit wake_up(const asio::any_io_executor& executor) : timer_(executor) {}
  /// Waits until `raise` or `limit`; true when it was raised.
  task<bool> wait_until(time_point limit);
  task<bool> wait() { return wait_until(time_point::max()); }
  /// Wakes the coroutine that waits now, if there is one.
  void raise() { timer_.cancel(); }

private:
  asio::steady_timer timer_;
};

} // namespace swarm::transport
