#pragma once
// One client of a unix_server. Included by .cpp files only.
#include "transport/detail/listener.hpp"
#include "transport/unix/unix_socket.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <sys/types.h>

#include <deque>

namespace swarm::transport {

class line_connection;

/// What a connection and its writers share. It outlives both and is guarded by `mutex`.
struct line_writer::state {
  std::mutex mutex;
  std::weak_ptr<line_connection> connection;
  std::deque<std::string> queue; ///< lines with their newlines
  std::size_t queued_bytes = 0;
  std::size_t queue_bytes_max = 0;
  bool closing = false;
  bool gone = false;
  std::function<void()> on_gone;

  void wake_connection();
};

struct unix_server::impl : listener<asio::local::stream_protocol, line_connection>,
                           std::enable_shared_from_this<unix_server::impl> {
  using local = asio::local::stream_protocol;

  std::filesystem::path path;
  handler on_line;
  unix_server_options options;
  dev_t device = 0;
  ino_t inode = 0;

  impl(io_runtime& runtime, std::filesystem::path where, handler fn, unix_server_options given)
      : listener(runtime), path(std::move(where)), on_line(std::move(fn)), options(given) {}

  result<> listen();
  void admit(local::socket socket) override;
  void leave(std::uint64_t id);
  void remove_file();
  void stop();
};

class line_connection : public std::enable_shared_from_this<line_connection> {
public:
  using local = asio::local::stream_protocol;

  line_connection(std::shared_ptr<unix_server::impl> server, std::uint64_t id, local::socket socket);
  ~line_connection();
  line_connection(const line_connection&) = delete;
  line_connection& operator=(const line_connection&) = delete;

  asio::any_io_executor strand() const { return strand_; }
  task<> run();
  /// Tells the connection that there is something to write or to close; may be called from any thread.
  void wake();
  /// Ends at once; may be called from any thread.
  void kill();

private:
  task<> read_loop();
  task<> write_loop();
  task<> wait_for_hang_up();
  line_writer lend_writer();
  bool nothing_more_to_come();
  void close();
  void finish();

  std::shared_ptr<unix_server::impl> server_;
  std::uint64_t id_;
  asio::any_io_executor strand_;
  local::socket socket_;
  wake_up wake_;
  std::shared_ptr<line_writer::state> shared_;
  std::weak_ptr<line_writer::state> lent_; ///< expired when no handler holds a writer any more
  bool half_closed_ = false;               ///< the client sends no more but may still read
  bool ended_ = false;
};

} // namespace swarm::transport
