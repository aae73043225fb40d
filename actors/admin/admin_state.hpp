#pragma once

#include "actors/admin/admin.hpp"
#include "actors/supervision/role_actor.hpp"
#include "transport/unix/unix_socket.hpp"

#include <boost/json.hpp>

#include <array>
#include <atomic>
#include <mutex>

namespace swarm::actors::detail {

/// One line from a client.
struct admin_line {
  std::string line;
  std::shared_ptr<transport::line_writer> writer;
};

/// A call under way. It is answered once, from any thread.
class admin_call {
public:
  admin_call(boost::json::value id, std::shared_ptr<transport::line_writer> writer)
      : id_(std::move(id)), writer_(std::move(writer)) {}

  void succeed(boost::json::value result);
  void fail(std::string_view code, const std::string& message, const std::vector<std::string>& similar = {});
  void fail(const swarm::error& why);
  /// Sends a line of a stream; false when the client is gone. Lines that its full queue does not take are
  /// counted, and the next line that it takes tells how many.
  bool stream(std::string_view key, boost::json::value value);
  transport::line_writer& writer() { return *writer_; }
  /// Streamed lines wait while this is held, so that a stream can be started and the call answered before
  /// its first line.
  std::unique_lock<std::mutex> hold() { return std::unique_lock(order_); }

private:
  void answer(boost::json::object body);

  boost::json::value id_;
  std::shared_ptr<transport::line_writer> writer_;
  std::mutex order_;
  std::atomic<bool> answered_ = false;
  std::atomic<std::uint64_t> lost_ = 0;
};
using admin_call_ptr = std::shared_ptr<admin_call>;

/// The pause of `top` is over.
struct top_due {
  admin_call_ptr call;
  std::vector<actor_status> before;
  std::int64_t begun_ns = 0;
};
/// The time for a role's method is over.
struct call_due {
  admin_call_ptr call;
  std::string method;
};

struct admin_state {
  explicit admin_state(admin_options o) : options(std::move(o)) {}
  std::string status() const;

  admin_options options;
  std::unique_ptr<transport::unix_server> server;
  std::string off_reason; ///< why there is no socket
  std::uint64_t calls = 0;
};

} // namespace swarm::actors::detail

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::detail::admin_line)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::detail::top_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(swarm::actors::detail::call_due)
