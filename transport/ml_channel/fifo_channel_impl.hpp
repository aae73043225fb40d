#pragma once

#include "transport/ml_channel/fifo_channel.hpp"
#include "transport/ml_channel/fifo_pipes.hpp"
#include "transport/ml_channel/newcomer_scan.hpp"

#include <sys/types.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>

/// The channel's private parts, for its own sources.
namespace swarm::ml {

inline constexpr std::string_view end_of_program = "the program closed the channel";

/// A message with its frame header, and how much of it has been written.
struct send_job {
  outgoing message;
  std::array<std::uint8_t, header_size> head{};
  std::size_t piece = 0; ///< 0 is the header, then message.pieces
  std::size_t offset = 0;
  std::uint64_t sent = 0;

  bytes_view piece_at(std::size_t index) const {
    return index == 0 ? bytes_view(head) : message.pieces[index - 1];
  }
  bool done() const { return piece > message.pieces.size(); }
  void advance(std::size_t count) {
    sent += count;
    while (!done() && offset + count >= piece_at(piece).size()) {
      count -= piece_at(piece).size() - offset;
      offset = 0;
      ++piece;
    }
    offset += count;
  }
};

/// The message that is being read.
struct receive_job {
  std::array<std::uint8_t, header_size> head{};
  std::size_t head_size = 0;
  header announced;
  body_buffer body;
};

enum class io_outcome { progress, would_wait, end };

struct fifo_channel::impl {
  fifo_options options;
  fifo_handlers handlers;

  // Shared with callers; the mutex guards these.
  mutable std::mutex mutex;
  std::condition_variable rearmed;
  fifo_state state = fifo_state::waiting;
  bool rearm_wanted = false;
  std::optional<std::string> refusal; ///< not yet told to on_closed
  std::deque<send_job> queue;
  bool response_broken = false;
  channel_status counters;
  std::string waiting_for;       ///< while the pipes are not open
  std::optional<header> reading; ///< the message whose body is coming
  std::uint64_t reading_done = 0;
  unique_fd request_name, response_name;

  std::atomic<bool> stopping = false;
  unique_fd wake;
  std::mutex join_mutex;
  std::thread thread;

  // Used by the channel's thread only.
  unique_fd request, response;
  receive_job incoming;
  bool program_gone = false;      ///< in this session
  newcomer_scan scan;             ///< of the bytes that a refused program sends
  std::optional<header> newcomer; ///< found in them; then reading stops until its session begins
  bytes ahead;                    ///< bytes of the newcomer's messages that are read already
  std::size_t ahead_taken = 0;

  void run();
  result<> open_pipes();
  std::string serve();
  io_outcome write_some();
  io_outcome read_some(std::string& reason);
  io_outcome read_header(std::string& reason);
  io_outcome read_body(std::string& reason);
  io_outcome discard();
  void greet_newcomer();
  bool answers_left_unread() const;
  ssize_t receive(std::span<std::uint8_t> into);
  io_outcome take_read(ssize_t count, std::string& reason);
  bool wait_for_pipes(bool want_write);
  bool tell_refusal();
  void forget_unread_answers() const;
  void close_pipes(fifo_state next);
  bool wait_for_rearm();

  void signal() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake.get(), &one, sizeof(one));
  }
  /// Queues a Status with error_in_sl as the last message. The caller holds the mutex.
  void refuse_locked(std::string text) {
    if (state != fifo_state::open) return;
    auto status_message = make_outgoing(ml::status{status_code::error_in_sl, text});
    push_locked(std::move(status_message));
    refusal = std::move(text);
    state = fifo_state::refused;
  }
  void push_locked(outgoing message) {
    send_job job;
    job.head = encode_header({message.type, static_cast<std::uint32_t>(message.size)});
    job.message = std::move(message);
    queue.push_back(std::move(job));
  }
};

} // namespace swarm::ml
