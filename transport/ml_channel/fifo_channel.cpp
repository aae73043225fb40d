#include "transport/ml_channel/fifo_channel.hpp"

#include "base/assert.hpp"
#include "transport/ml_channel/fifo_pipes.hpp"
#include "transport/ml_channel/newcomer_scan.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>

namespace swarm::ml {

namespace {

constexpr std::string_view end_of_program = "the program closed the channel";

/// A message with its frame header, and how much of it is out.
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

} // namespace

struct fifo_channel::impl {
  fifo_options options;
  fifo_handlers handlers;

  // Shared with callers, under the mutex.
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

  // Of the channel's thread alone.
  unique_fd request, response;
  receive_job incoming;
  bool program_gone = false;      ///< in this session
  newcomer_scan scan;             ///< of what a refused program sends
  std::optional<header> newcomer; ///< found in it; nothing more is read until it has its session
  bytes ahead;                    ///< read already, of the newcomer's messages
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
  /// Queues a Status with error_in_sl as the last message. The mutex is held.
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

std::string_view name_of(fifo_state state) {
  constexpr std::array<std::string_view, 5> names{"waiting", "open", "refused", "closed", "stopped"};
  return names[static_cast<std::size_t>(state)];
}

// --- the channel's thread

void fifo_channel::impl::run() {
  while (!stopping) {
    if (auto opened = open_pipes(); !opened) {
      close_pipes(fifo_state::closed);
      if (!stopping && handlers.on_closed) handlers.on_closed(opened.error().message);
    } else if (!stopping) {
      {
        const std::lock_guard guard(mutex);
        state = fifo_state::open;
      }
      if (handlers.on_open) handlers.on_open();
      const auto reason = serve();
      // A refusal was told before; nobody hears of a stop.
      const bool told = tell_refusal() || [&] {
        const std::lock_guard guard(mutex);
        return state == fifo_state::refused;
      }();
      close_pipes(fifo_state::closed);
      if (!stopping && !told && handlers.on_closed) handlers.on_closed(reason);
    }
    if (!wait_for_rearm()) break;
  }
  close_pipes(fifo_state::stopped);
}

/// The mirror of the program's order: it opens the response FIFO first. Both opens wait; `stop` ends that by
/// opening the other sides itself.
result<> fifo_channel::impl::open_pipes() {
  {
    const std::lock_guard guard(mutex);
    state = fifo_state::waiting;
    rearm_wanted = false;
    SWARM_TRY(response_name, prepare_fifo(options.response_path));
    SWARM_TRY(request_name, prepare_fifo(options.request_path));
    waiting_for = options.response_path;
  }
  if (stopping) return {};
  const int to_program = open_fifo(response_name, O_WRONLY);
  if (to_program < 0)
    return fail(errc::io, "ML channel: {} cannot be opened: {}", options.response_path,
                std::strerror(-to_program));
  response = unique_fd(to_program);
  {
    const std::lock_guard guard(mutex);
    waiting_for = options.request_path;
  }
  if (stopping) return {};
  const int from_program = open_fifo(request_name, O_RDONLY);
  if (from_program < 0)
    return fail(errc::io, "ML channel: {} cannot be opened: {}", options.request_path,
                std::strerror(-from_program));
  request = unique_fd(from_program);
  tune_pipe(response);
  tune_pipe(request);
  return {};
}

/// Carries messages until the program ends (why is returned), or `stop`.
std::string fifo_channel::impl::serve() {
  std::string reason;
  while (!stopping) {
    tell_refusal();
    greet_newcomer();
    const auto written = write_some();
    const auto read = read_some(reason);
    const bool idle = written != io_outcome::progress && read != io_outcome::progress;
    program_gone = read == io_outcome::end || (idle && !wait_for_pipes(written == io_outcome::would_wait));
    if (program_gone) break;
  }
  return reason;
}

/// Reports a refusal once. True when it did.
bool fifo_channel::impl::tell_refusal() {
  std::optional<std::string> text;
  {
    const std::lock_guard guard(mutex);
    text = std::exchange(refusal, std::nullopt);
  }
  if (!text) return false;
  if (!stopping && handlers.on_closed) handlers.on_closed(*text);
  return true;
}

/// `end` when there is nothing to write.
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
  const std::lock_guard guard(mutex);
  if (written < 0) { // the program is going; what it still sent is read before the end is reported
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

/// Books what a read gave; `reason` is set at the end of the program.
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

/// What was read ahead comes first.
ssize_t fifo_channel::impl::receive(std::span<std::uint8_t> into) {
  if (ahead_taken == ahead.size()) return ::read(request.get(), into.data(), into.size());
  const auto count = std::min(into.size(), ahead.size() - ahead_taken);
  std::copy_n(ahead.data() + ahead_taken, count, into.data());
  ahead_taken += count;
  return static_cast<ssize_t>(count);
}

/// Reads and forgets what a refused program sends, up to the first message of the next one.
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

bool fifo_channel::impl::answers_left_unread() const {
  int unread = 0;
  return !queue.empty() || ::ioctl(response.get(), FIONREAD, &unread) != 0 || unread > 0;
}

/// Begins the newcomer's session once the owner is ready for it and nobody would read the answers to another.
void fifo_channel::impl::greet_newcomer() {
  if (!newcomer) return;
  {
    const std::lock_guard guard(mutex);
    if (!rearm_wanted || answers_left_unread()) return;
    rearm_wanted = false;
    response_broken = false;
    state = fifo_state::open;
    incoming.head_size = header_size;
    incoming.announced = *newcomer;
    reading = std::exchange(newcomer, std::nullopt);
    reading_done = 0;
  }
  if (handlers.on_open) handlers.on_open();
}

/// False when a newcomer that is not read any more has gone. The system does not tell when somebody has read
/// the last answer, so that is looked up now and then.
bool fifo_channel::impl::wait_for_pipes(bool want_write) {
  constexpr int look_again_ms = 20;
  const short wanted_of_request = newcomer ? 0 : POLLIN; // an end is told in any case
  std::array<pollfd, 3> wanted{{{wake.get(), POLLIN, 0},
                                {request.get(), wanted_of_request, 0},
                                {want_write ? response.get() : -1, POLLOUT, 0}}};
  if (::poll(wanted.data(), wanted.size(), newcomer ? look_again_ms : -1) <= 0) return true;
  if (wanted[0].revents != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto read = ::read(wake.get(), &count, sizeof(count));
  }
  return !(newcomer && (wanted[1].revents & POLLHUP) != 0);
}

/// What the program did not read before it ended would otherwise be read by the next one, if that has opened
/// the response already. It has not written anything by then, so it does not read yet.
void fifo_channel::impl::forget_unread_answers() const {
  if (!response || !program_gone) return; // at a stop it may be about to read why
  const unique_fd unread(open_fifo(response_name, O_RDONLY | O_NONBLOCK));
  std::array<std::uint8_t, 65536> ignored;
  while (unread && ::read(unread.get(), ignored.data(), ignored.size()) > 0) {
  }
}

void fifo_channel::impl::close_pipes(fifo_state next) {
  forget_unread_answers();
  program_gone = false;
  request = {};
  response = {};
  incoming = {};
  scan = {};
  newcomer.reset();
  ahead = {};
  ahead_taken = 0;
  const std::lock_guard guard(mutex);
  queue.clear();
  refusal.reset();
  response_broken = false;
  reading.reset();
  state = next;
}

/// False when the channel stops instead.
bool fifo_channel::impl::wait_for_rearm() {
  std::unique_lock lock(mutex);
  rearmed.wait(lock, [&] { return rearm_wanted || stopping; });
  return !stopping;
}

// --- what callers see

fifo_channel::fifo_channel(std::unique_ptr<impl> from) : impl_(std::move(from)) {}

result<std::unique_ptr<fifo_channel>> fifo_channel::create(fifo_options options, fifo_handlers handlers) {
  if (options.request_path == options.response_path)
    return fail(errc::invalid, "ML channel: {} is given for both directions; two FIFOs are needed",
                options.request_path);
  auto state = std::make_unique<impl>();
  state->options = std::move(options);
  state->options.body_max = std::min(state->options.body_max, body_size_max);
  state->handlers = std::move(handlers);
  SWARM_TRY(state->response_name, prepare_fifo(state->options.response_path));
  SWARM_TRY(state->request_name, prepare_fifo(state->options.request_path));
  state->wake = unique_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!state->wake) return fail(errc::io, "ML channel: no event descriptor: {}", std::strerror(errno));
  std::unique_ptr<fifo_channel> out(new fifo_channel(std::move(state)));
  // The thread takes no signals; a SIGPIPE of its own stays pending and unseen.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  out->impl_->thread = std::thread([self = out->impl_.get()] { self->run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return out;
}

fifo_channel::~fifo_channel() {
  SWARM_ASSERT(std::this_thread::get_id() != impl_->thread.get_id());
  stop();
}

result<> fifo_channel::send(outgoing message) {
  SWARM_ASSERT(message.size > 0);
  if (message.size > body_size_max)
    return fail(wire_errc::oversize, "a {} of {} bytes; the channel carries at most {}",
                name_of(message.type), message.size, body_size_max);
  {
    const std::lock_guard guard(impl_->mutex);
    if (impl_->state != fifo_state::open || impl_->response_broken)
      return fail(errc::unavailable, "no program is at {}", impl_->options.response_path);
    if (impl_->queue.size() >= impl_->options.send_queue_max)
      return fail(errc::limit, "{} messages wait for the program already", impl_->queue.size());
    impl_->push_locked(std::move(message));
  }
  impl_->signal();
  return {};
}

void fifo_channel::refuse(std::string text) {
  {
    const std::lock_guard guard(impl_->mutex);
    impl_->refuse_locked(std::move(text));
  }
  impl_->signal();
}

void fifo_channel::rearm() {
  const std::lock_guard guard(impl_->mutex);
  if (impl_->state != fifo_state::closed && impl_->state != fifo_state::refused) return;
  impl_->rearm_wanted = true;
  impl_->rearmed.notify_all();
  impl_->signal(); // a newcomer may be waiting for this
}

void fifo_channel::stop() {
  // Held until the thread has ended: with both sides open it cannot wait for one.
  unique_fd response_side, request_side;
  {
    const std::lock_guard guard(impl_->mutex);
    impl_->stopping = true;
    impl_->rearmed.notify_all();
    response_side = unique_fd(open_fifo(impl_->response_name, O_RDWR | O_NONBLOCK));
    request_side = unique_fd(open_fifo(impl_->request_name, O_RDWR | O_NONBLOCK));
  }
  impl_->signal();
  if (std::this_thread::get_id() == impl_->thread.get_id()) return;
  const std::lock_guard guard(impl_->join_mutex);
  if (impl_->thread.joinable()) impl_->thread.join();
}

channel_status fifo_channel::status() const {
  const std::lock_guard guard(impl_->mutex);
  auto out = impl_->counters;
  out.state = impl_->state;
  if (out.state == fifo_state::waiting) {
    out.current = fmt::format("waiting for a program to open {}", impl_->waiting_for);
  } else if (!impl_->queue.empty()) {
    const auto& job = impl_->queue.front();
    out.current = fmt::format("writing {}, {} of {} bytes", name_of(job.message.type), job.sent,
                              job.message.size + header_size);
  } else if (out.state == fifo_state::refused) {
    out.current = "waiting for the refused program to end";
  } else if (impl_->reading) {
    out.current = fmt::format("reading {}, {} of {} bytes", name_of(impl_->reading->type),
                              impl_->reading_done, impl_->reading->size);
  } else if (out.state == fifo_state::open) {
    out.current = "waiting for the program's next message";
  }
  return out;
}

} // namespace swarm::ml
