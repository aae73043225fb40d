#include "base/assert.hpp"
#include "base/mapped_file.hpp"
#include "transport/ml_channel/fifo_channel_impl.hpp"

#include <fmt/format.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <span>
#include <utility>

// Reading and writing the two pipes, a piece at a time.
namespace swarm::ml {

/// Writes one piece; returns `end` when there is nothing to write.
io_outcome fifo_channel::impl::write_some() {
  constexpr std::size_t pieces_max = 64;
  send_job* job = nullptr;
  {
    const std::lock_guard guard(mutex);
    if (queue.empty()) return io_outcome::end;
    job = &queue.front(); // others only append
  }
  std::array<iovec, pieces_max> pieces;
  std::size_t count = 0;
  for (auto at = job->piece; at <= job->message.pieces.size() && count < pieces_max; ++at, ++count) {
    const auto piece = job->piece_at(at).subspan(at == job->piece ? job->offset : 0);
    pieces[count] = {const_cast<std::uint8_t*>(piece.data()), piece.size()};
  }
  const auto written = ::writev(response.get(), pieces.data(), static_cast<int>(count));
  if (written < 0 && (errno == EAGAIN || errno == EINTR)) return io_outcome::would_wait;
  if (written > 0) note_mapped_read(static_cast<std::uint64_t>(written));
  const std::lock_guard guard(mutex);
  if (written < 0) { // the program is ending; what it still sent is read before the end is reported
    response_broken = true;
    queue.clear();
    return io_outcome::progress;
  }
  job->advance(static_cast<std::size_t>(written));
  counters.bytes_out += static_cast<std::uint64_t>(written);
  counters.last_byte = std::chrono::steady_clock::now();
  if (job->done()) {
    ++counters.messages_out;
    queue.pop_front();
  }
  return io_outcome::progress;
}

io_outcome fifo_channel::impl::read_some(std::string& reason) {
  const bool refused = [&] {
    const std::lock_guard guard(mutex);
    return state == fifo_state::refused;
  }();
  if (refused) {
    incoming = {};
    return discard();
  }
  return incoming.head_size < header_size ? read_header(reason) : read_body(reason);
}

/// Counts what a read gave; `reason` is set at the end of the program.
io_outcome fifo_channel::impl::take_read(ssize_t count, std::string& reason) {
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return io_outcome::would_wait;
  if (count < 0) {
    reason = fmt::format("{} cannot be read: {}", options.request_path, std::strerror(errno));
    return io_outcome::end;
  }
  if (count == 0) {
    reason =
        incoming.head_size == 0 ? std::string(end_of_program)
        : incoming.head_size < header_size
            ? fmt::format("{} within a frame header", end_of_program)
            : fmt::format("{} within a {}, after {} of {} bytes", end_of_program,
                          name_of(incoming.announced.type), incoming.body.size(), incoming.announced.size);
    return io_outcome::end;
  }
  const std::lock_guard guard(mutex);
  counters.bytes_in += static_cast<std::uint64_t>(count);
  counters.last_byte = std::chrono::steady_clock::now();
  return io_outcome::progress;
}

io_outcome fifo_channel::impl::read_header(std::string& reason) {
  auto& head = incoming.head;
  const auto count = receive(std::span(head).subspan(incoming.head_size));
  const auto outcome = take_read(count, reason);
  if (outcome != io_outcome::progress) return outcome;
  incoming.head_size += static_cast<std::size_t>(count);
  if (incoming.head_size < header_size) return outcome;
  const auto decoded = decode_header(head, options.body_max);
  const std::lock_guard guard(mutex);
  if (!decoded) {
    refuse_locked(decoded.error().message);
  } else {
    incoming.announced = *decoded;
    reading = *decoded;
    reading_done = 0;
  }
  return outcome;
}

io_outcome fifo_channel::impl::read_body(std::string& reason) {
  const auto room = incoming.body.room(incoming.announced.size);
  if (room.empty()) {
    const std::lock_guard guard(mutex);
    refuse_locked(fmt::format("no memory for a {} of {} bytes", name_of(incoming.announced.type),
                              incoming.announced.size));
    return io_outcome::progress;
  }
  const auto count = receive(room);
  const auto outcome = take_read(count, reason);
  if (outcome != io_outcome::progress) return outcome;
  incoming.body.commit(static_cast<std::size_t>(count));
  const bool whole = incoming.body.size() == incoming.announced.size;
  {
    const std::lock_guard guard(mutex);
    reading_done = incoming.body.size();
    if (whole) {
      ++counters.messages_in;
      reading.reset();
    }
  }
  if (whole) {
    auto job = std::exchange(incoming, {});
    if (handlers.on_message && !stopping) handlers.on_message(job.announced, std::move(job.body));
  }
  return outcome;
}

/// Gives bytes that were read ahead first, then reads.
ssize_t fifo_channel::impl::receive(std::span<std::uint8_t> into) {
  if (ahead_taken == ahead.size()) return ::read(request.get(), into.data(), into.size());
  const auto count = std::min(into.size(), ahead.size() - ahead_taken);
  std::copy_n(ahead.data() + ahead_taken, count, into.data());
  ahead_taken += count;
  return static_cast<ssize_t>(count);
}

/// Reads and drops what a refused program sends, up to the first message of the next program.
io_outcome fifo_channel::impl::discard() {
  if (newcomer) return io_outcome::would_wait;
  std::array<std::uint8_t, 65536> unwanted;
  std::string ignored;
  const auto count = receive(unwanted);
  const auto outcome = take_read(count, ignored);
  if (outcome != io_outcome::progress) return outcome;
  if (const auto found = scan.feed(bytes_view(unwanted).first(static_cast<std::size_t>(count)))) {
    newcomer = found->head;
    ahead.erase(ahead.begin(), ahead.begin() + static_cast<std::ptrdiff_t>(ahead_taken));
    ahead.insert(ahead.begin(), found->rest.begin(), found->rest.end());
    ahead_taken = 0;
    const std::lock_guard guard(mutex);
    counters.bytes_in -= found->rest.size(); // counted when they are taken
  }
  return outcome;
}

} // namespace swarm::ml
