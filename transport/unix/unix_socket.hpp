#pragma once

#include "base/clock.hpp"
#include "transport/errors.hpp"
#include "transport/io_runtime.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace swarm::transport {

struct unix_server_options {
  std::size_t line_bytes_max = 1024 * 1024; ///< of a request; a longer one ends the connection
  std::size_t connections_max = 32;
  std::size_t queue_bytes_max = 16 * 1024 * 1024; ///< of lines not yet taken by a client
};

/// Writes lines to one client of a `unix_server`, from any thread, for as long as the client is there. Copies
/// write to the same client.
class line_writer {
public:
  struct state;
  explicit line_writer(std::shared_ptr<state> from) : state_(std::move(from)) {}

  /// Queues `line`, which must contain no newline. Fails with net_errc::closed when the client is gone, with
  /// net_errc::limit when it does not read and its queue is full.
  result<> write(std::string line) const;
  bool gone() const;
  /// Runs `fn` once, on an io thread, when the client goes away, or at once if it has gone already. A
  /// connection has one such function: the last one set counts.
  void on_gone(std::function<void()> fn) const;
  /// Sends what is queued and closes.
  void close() const;

private:
  std::shared_ptr<state> state_;
};

/// Serves lines over a Unix-domain stream socket that only the owner of the process may open (mode 0600).
/// Each line of a client is handed to the handler, in order, on the runtime's threads; it answers with as
/// many lines as it likes, now or later.
class unix_server {
public:
  using handler = std::function<void(std::string line, line_writer writer)>;
  /// Replaces the socket file of a process that is gone. Errors: net_errc::in_use (names the living process),
  /// net_errc::address (path too long, no such folder, something that is no socket is in the way).
  static result<std::unique_ptr<unix_server>> start(io_runtime& io, std::filesystem::path path,
                                                    handler on_line, unix_server_options options = {});
  /// Stops.
  ~unix_server();
  unix_server(const unix_server&) = delete;
  unix_server& operator=(const unix_server&) = delete;

  /// Closes every connection, and removes the socket file if it is still this server's.
  void stop();

  struct impl;

private:
  explicit unix_server(std::shared_ptr<impl> from);
  std::shared_ptr<impl> impl_;
};

/// A blocking client for command-line tools, which needs no runtime.
class unix_client {
public:
  /// Fails with net_errc::connect when nobody serves `path`.
  static result<unix_client> open(const std::filesystem::path& path,
                                  std::size_t line_bytes_max = 64 * 1024 * 1024);
  ~unix_client();
  unix_client(unix_client&& other) noexcept;
  unix_client& operator=(unix_client&& other) noexcept;

  /// How long `read_line` waits for the next byte; zero (the default) waits for ever.
  void set_timeout(std::chrono::milliseconds without_a_byte) { timeout_ = without_a_byte; }
  result<> write_line(std::string_view line);
  /// The next line without its newline. Fails with net_errc::closed at the end of the stream,
  /// or net_errc::timeout.
  result<std::string> read_line();
  /// Sends one line and returns the next one that comes back.
  result<std::string> request(std::string_view line);
  /// Hands lines over until `fn` returns false or the server closes the stream.
  result<> read_lines(const std::function<bool(std::string_view)>& fn);
  /// The process that serves the socket, 0 if unknown.
  int server_pid() const;

private:
  unix_client(int fd, std::filesystem::path path, std::size_t line_bytes_max);
  result<> receive();
  int fd_ = -1;
  std::filesystem::path path_;
  std::size_t line_bytes_max_ = 0;
  std::chrono::milliseconds timeout_{0};
  std::string pending_;
  std::size_t searched_ = 0; ///< bytes of `pending_` known to hold no newline
};

} // namespace swarm::transport
