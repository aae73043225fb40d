#include "base/assert.hpp"
#include "transport/ml_channel/fifo_channel_impl.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

namespace swarm::ml {

std::string_view name_of(fifo_state state) {
  constexpr std::array<std::string_view, 5> names{"waiting", "open", "refused", "closed", "stopped"};
  return names[static_cast<std::size_t>(state)];
}

// The channel's thread

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
      // A refusal was reported before; a stop is not reported.
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

/// Opens the FIFOs in the program's order: the response FIFO first. Both opens wait; `stop` ends that by
/// opening the other sides itself.
result<> fifo_channel::impl::open_pipes() {
  {
    const std::lock_guard guard(mutex);
    state = fifo_state::waiting;
    rearm_wanted = false;
    SWARM_TRY(response_name, prepare_fifo(options.response_path, options.access));
    SWARM_TRY(request_name, prepare_fifo(options.request_path, options.access));
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

/// Carries messages until the program ends or `stop` is called. Returns why it ended.
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

bool fifo_channel::impl::answers_left_unread() const {
  int unread = 0;
  return !queue.empty() || ::ioctl(response.get(), FIONREAD, &unread) != 0 || unread > 0;
}

/// Begins the newcomer's session once the owner is ready for it and nobody would read another
/// program's answers.
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

/// Returns false when a newcomer that is not read yet has gone. The system does not tell when the last answer
/// has been read, so this looks now and then.
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

/// Removes answers that the program did not read before it ended. Otherwise the next program, if it has
/// opened the response FIFO already, would read them. That program has written nothing yet, so it does not
/// read meanwhile.
void fifo_channel::impl::forget_unread_answers() const {
  if (!response || !program_gone) return; // at a stop the program may be about to read the reason
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

/// Returns false when the channel stops instead.
bool fifo_channel::impl::wait_for_rearm() {
  std::unique_lock lock(mutex);
  rearmed.wait(lock, [&] { return rearm_wanted || stopping; });
  return !stopping;
}

// What callers see

fifo_channel::fifo_channel(std::unique_ptr<impl> from) : impl_(std::move(from)) {}

result<std::unique_ptr<fifo_channel>> fifo_channel::create(fifo_options options, fifo_handlers handlers) {
  if (options.request_path == options.response_path)
    return fail(errc::invalid, "ML channel: {} is given for both directions; two FIFOs are needed",
                options.request_path);
  auto state = std::make_unique<impl>();
  state->options = std::move(options);
  state->options.body_max = std::min(state->options.body_max, body_size_max);
  state->handlers = std::move(handlers);
  SWARM_TRY(state->response_name, prepare_fifo(state->options.response_path, state->options.access));
  SWARM_TRY(state->request_name, prepare_fifo(state->options.request_path, state->options.access));
  state->wake = unique_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!state->wake) return fail(errc::io, "ML channel: no event descriptor: {}", std::strerror(errno));
  std::unique_ptr<fifo_channel> out(new fifo_channel(std::move(state)));
  // The thread blocks all signals, so a SIGPIPE of its own stays pending and has no effect.
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
  // These are held until the thread has ended: with both sides open, it cannot wait in an open.
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
