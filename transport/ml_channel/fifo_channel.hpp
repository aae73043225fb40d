#pragma once

#include "base/clock.hpp"
#include "transport/ml_channel/body_buffer.hpp"
#include "transport/ml_channel/pipe_access.hpp"
#include "transport/ml_channel/wire.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace swarm::ml {

struct fifo_options {
  std::string request_path;  ///< the program writes, we read
  std::string response_path; ///< we write, the program reads
  pipe_access access{};      ///< of a program that runs as another user
  std::uint64_t body_max = body_size_max;
  std::size_t send_queue_max = 16; ///< messages
};

/// All are called on the channel's own thread and should return soon. They may call every member of the
/// channel but the destructor.
struct fifo_handlers {
  std::function<void()> on_open;                       ///< a program holds both pipes
  std::function<void(header, body_buffer)> on_message; ///< one whole message
  /// The session is over: end of file, a broken frame (the program was sent a Status), `refuse`, or an I/O
  /// error. It is called once per on_open, or once for a failure to open, but not for `stop`.
  std::function<void(std::string reason)> on_closed;
};

enum class fifo_state { waiting, open, refused, closed, stopped };
std::string_view name_of(fifo_state state);

struct channel_status {
  fifo_state state = fifo_state::waiting;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;
  time_point last_byte{}; ///< of either direction; epoch of the clock when none
  std::string current;    ///< e.g. "reading SyncRequest, 1048576 of 2000000 bytes", for people
};

/// Two FIFOs to one training program at a time. The channel makes them (for those whom `access` names) or
/// reuses those that exist, waits for a program, carries messages both ways, notices the program's end, and
/// after `rearm` waits for the next one. It never removes a FIFO, since a program may hold it already, and
/// never raises SIGPIPE.
///
/// A program may open the pipes just when the one before it ends, before that end is noticed. Then it goes on
/// in the old session: its open_session_request comes without an on_open, and the owner should take it as the
/// start of a new session. If the program before it was refused, the open_session_request is recognised in
/// what is thrown away; after `rearm` the new program gets a session of its own, with on_open, once somebody
/// has read what the refused program was told.
class fifo_channel {
public:
  /// Begins to wait for a program at once. Fails when a path is not a FIFO or cannot be made.
  static result<std::unique_ptr<fifo_channel>> create(fifo_options options, fifo_handlers handlers);
  fifo_channel(const fifo_channel&) = delete;
  fifo_channel& operator=(const fifo_channel&) = delete;
  /// Stops. Not to be called from a handler.
  ~fifo_channel();

  /// Queues a message without waiting. Fails with errc::unavailable when no program is there, with
  /// errc::limit when the queue is full.
  result<> send(outgoing message);
  /// Sends a Status with error_in_sl, reports on_closed(text), and from then on discards what the program
  /// sends until it ends. Nothing happens when no program is there.
  void refuse(std::string text);
  /// To be called after on_closed: waits for the next program (once a refused one has gone).
  void rearm();
  /// Ends everything, whatever the channel is waiting for. No handler is called after it returned or, when it
  /// is called from a handler, after that handler returned.
  void stop();
  channel_status status() const;

private:
  struct impl;
  explicit fifo_channel(std::unique_ptr<impl> from);
  std::unique_ptr<impl> impl_;
};

} // namespace swarm::ml
