#include "transport/io_runtime.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "transport/detail/asio.hpp"

#include <boost/asio/detached.hpp>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <mutex>

namespace swarm::transport {

struct timer_handle::state {
  std::mutex mutex;
  bool live = true;
  /// The waiting handler owns it, so that it never outlives the io_context; null once the handler is gone.
  asio::steady_timer* timer = nullptr;
};

namespace {

thread_local const void* current_runtime = nullptr;

/// The handler of one timer. Asio moves it, so its parts are behind pointers.
struct timer_handler {
  std::shared_ptr<timer_handle::state> state;
  std::unique_ptr<asio::steady_timer> timer;
  std::function<void()> fn;

  timer_handler(std::shared_ptr<timer_handle::state> s, std::unique_ptr<asio::steady_timer> t,
                std::function<void()> f)
      : state(std::move(s)), timer(std::move(t)), fn(std::move(f)) {}
  timer_handler(timer_handler&&) = default;
  timer_handler& operator=(timer_handler&&) = delete;
  ~timer_handler() { release(); }

  void operator()(error_code) {
    if (release() && fn) fn();
  }

  /// Releases the timer; true if it had not been cancelled.
  bool release() {
    if (!state) return false;
    std::lock_guard lock(state->mutex);
    state->timer = nullptr;
    return std::exchange(state->live, false);
  }
};

constexpr rlim_t open_files_wanted = 65'536;

void raise_open_files_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  auto wanted = std::min(limit.rlim_max, open_files_wanted);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void run_thread(io_runtime::impl& runtime, unsigned index) {
  current_runtime = &runtime;
  pthread_setname_np(pthread_self(), fmt::format("io-{}", index).c_str());
  runtime.context.run();
}

} // namespace

void timer_handle::cancel() {
  if (!state_) return;
  std::lock_guard lock(state_->mutex);
  state_->live = false;
  if (state_->timer) state_->timer->cancel();
}

io_runtime::io_runtime(unsigned threads) : impl_(std::make_unique<impl>()) {
  raise_open_files_limit();
  for (unsigned i = 0; i < std::max(threads, 1u); ++i)
    impl_->threads.emplace_back([runtime = impl_.get(), i] { run_thread(*runtime, i); });
}

io_runtime::~io_runtime() {
  stop();
}

void io_runtime::stop() {
  SWARM_ASSERT(!on_io_thread());
  if (impl_->stopped.exchange(true)) return;
  impl_->context.stop();
  for (auto& thread : impl_->threads)
    thread.join();
  impl_->threads.clear();
}

bool io_runtime::stopped() const {
  return impl_->stopped;
}

void io_runtime::post(std::function<void()> fn) {
  asio::post(impl_->context, std::move(fn));
}

timer_handle io_runtime::after(duration delay, std::function<void()> fn) {
  auto state = std::make_shared<timer_handle::state>();
  auto timer = std::make_unique<asio::steady_timer>(impl_->context, delay);
  auto* raw = timer.get();
  // The lock is held while the wait begins: a timer that fires at once on another thread waits for it
  // in `release`.
  std::lock_guard lock(state->mutex);
  state->timer = raw;
  raw->async_wait(timer_handler(state, std::move(timer), std::move(fn)));
  return timer_handle(state);
}

bool io_runtime::on_io_thread() const {
  return current_runtime == impl_.get();
}

void spawn(const asio::any_io_executor& executor, std::string what, std::function<task<>()> fn) {
  // The coroutine is posted, as on a thread of the runtime co_spawn would start it inside this call, and
  // callers may hold locks that it takes. The wrapper keeps `fn`, and so the captures that its coroutine
  // refers to, until the end.
  auto run = [](std::function<task<>()> body) -> task<> { co_await body(); };
  asio::post(executor, [executor, run, what = std::move(what), fn = std::move(fn)]() mutable {
    asio::co_spawn(executor, run(std::move(fn)), [what = std::move(what)](const std::exception_ptr& failure) {
      if (!failure) return;
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& e) {
        log::error("swarm.net", "{}: ended by an unexpected failure: {}", what, e.what());
      }
    });
  });
}

task<bool> wake_up::wait_until(time_point limit) {
  timer_.expires_at(limit);
  auto [ec] = co_await timer_.async_wait(use_tuple);
  co_return ec == asio::error::operation_aborted;
}

} // namespace swarm::transport
