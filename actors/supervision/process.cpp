#include "actors/supervision/process.hpp"

#include "actors/supervision/service_notices.hpp"
#include "actors/supervision/supervisor.hpp"
#include "base/log.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace swarm::actors {

namespace {

// Signals

std::atomic<int> signal_fd = -1; // of the run that obeys signals
std::atomic<int> signals_seen = 0;
std::atomic<int> last_signal_seen = 0;

void wake(int fd) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(fd, &one, sizeof one);
}

void on_signal(int number) {
  const int saved = errno;
  last_signal_seen = number;
  ++signals_seen;
  wake(signal_fd);
  errno = saved;
}

/// Installs the handlers and puts the old ones back.
class signal_scope {
public:
  signal_scope(bool active, int wake_fd) : active_(active) {
    if (!active_) return;
    signals_seen = 0;
    signal_fd = wake_fd;
    struct sigaction obey = {};
    obey.sa_handler = on_signal;
    ::sigemptyset(&obey.sa_mask);
    obey.sa_flags = SA_RESTART;
    struct sigaction ignore = obey;
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGTERM, &obey, &term_);
    ::sigaction(SIGINT, &obey, &int_);
    ::sigaction(SIGPIPE, &ignore, &pipe_);
  }
  ~signal_scope() {
    if (!active_) return;
    ::sigaction(SIGTERM, &term_, nullptr);
    ::sigaction(SIGINT, &int_, nullptr);
    ::sigaction(SIGPIPE, &pipe_, nullptr);
    signal_fd = -1;
  }
  signal_scope(const signal_scope&) = delete;
  signal_scope& operator=(const signal_scope&) = delete;

private:
  bool active_;
  struct sigaction term_ = {}, int_ = {}, pipe_ = {};
};

// The hard exit

/// Names the busy actors, such as "/sl/leader (in message merge for 12.3 s)", or all when none is busy: the
/// others wait for the busy ones.
std::string name_stuck(const std::vector<actor_status>& running) {
  const auto busy = [](const actor_status& s) { return !s.current.empty(); };
  const bool any_busy = std::any_of(running.begin(), running.end(), busy);
  std::string out;
  for (const auto& s : running) {
    if (any_busy && !busy(s)) continue;
    if (!out.empty()) out += ", ";
    out += s.path;
    if (any_busy)
      out += fmt::format(" (in message {} for {:.1f} s)", s.current, static_cast<double>(s.current_ns) / 1e9);
  }
  return out.empty() ? "an actor outside the supervision tree" : out;
}

[[noreturn]] void hard_exit(const environment& env, std::chrono::milliseconds limit, int code) {
  log::error(env.log_source, "not stopped within {:g} s, ending at once; stuck: {}",
             std::chrono::duration<double>(limit).count(), name_stuck(env.dir.running()));
  std::_Exit(code);
}

/// Ends the process unless it is destroyed before the deadline; for waits that cannot be bounded otherwise.
class watchdog {
public:
  template <class OnExpiry>
  watchdog(time_point deadline, OnExpiry on_expiry)
      : thread_([this, deadline, on_expiry] {
          std::unique_lock lock(mutex_);
          if (!done_.wait_until(lock, deadline, [this] { return cancelled_; })) on_expiry();
        }) {}
  ~watchdog() {
    {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
    }
    done_.notify_all();
    thread_.join();
  }
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

private:
  std::mutex mutex_;
  std::condition_variable done_;
  bool cancelled_ = false;
  std::thread thread_;
};

// The run

caf::actor_system_config make_config(const process_options& options) {
  caf::actor_system_config config;
  // Work stealing is not used: its idle workers sleep up to 10 ms between looks, so a message that finds the
  // process idle would wait that long, and they wake up all the time for nothing.
  config.set("scheduler.policy", caf::atom("sharing"));
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  config.set("scheduler.max-threads",
             static_cast<std::size_t>(options.threads ? options.threads : std::max(4U, cores)));
  return config;
}

caf::actor spawn_root(caf::actor_system& system, const std::shared_ptr<environment>& env,
                      supervisor_spec spec, std::shared_ptr<process_outcome> outcome) {
  start_context ctx;
  ctx.env = env;
  ctx.path = "/root";
  ctx.record = env->dir.enlist(ctx.path, "supervisor");
  ctx.live = std::make_shared<probe>();
  ctx.mailbox_limit = child_spec{}.mailbox_limit;
  caf::actor_config config;
  return system.spawn_class<supervisor_actor, caf::no_spawn_options>(config, ctx, std::move(spec),
                                                                     std::move(outcome));
}

class process_run {
public:
  process_run(supervisor_spec root, process_options options, int wake_fd)
      : root_spec_(std::move(root)), options_(std::move(options)), wake_fd_(wake_fd),
        env_(std::make_shared<environment>()), outcome_(std::make_shared<process_outcome>()) {
    env_->log_source = options_.log_source;
    outcome_->changed = [wake_fd] { wake(wake_fd); };
    outcome_->alive = [this] { notices_.tell("WATCHDOG=1"); };
    outcome_->alive_every = notices_.sign_of_life_every();
  }

  int run() {
    if (options_.prepare) options_.prepare(env_);
    auto config = make_config(options_);
    std::optional<caf::actor_system> system;
    system.emplace(config);
    root_ = spawn_root(*system, env_, std::move(root_spec_), outcome_);
    while (!outcome_->read().ended)
      wait_for_news();
    root_ = nullptr;
    note_stopping();
    const auto ended = outcome_->read();
    const int code = ended.gave_up ? exit_gave_up : ended.code;
    if (ended.gave_up) log::error(env_->log_source, "giving up: {}", ended.reason);
    const int stuck_code = code ? code : exit_stuck;
    if (!env_->dir.wait_all_ended(*deadline_)) hard_exit(*env_, options_.stop_limit, stuck_code);
    const watchdog dog(*deadline_, [this, stuck_code] { hard_exit(*env_, options_.stop_limit, stuck_code); });
    system.reset();
    return code;
  }

private:
  void wait_for_news() {
    pollfd fd{wake_fd_, POLLIN, 0};
    int timeout_ms = -1;
    if (deadline_) {
      const auto left = *deadline_ - std::chrono::steady_clock::now();
      timeout_ms = static_cast<int>(
          std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(left).count()));
    }
    if (::poll(&fd, 1, timeout_ms) > 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto taken = ::read(wake_fd_, &count, sizeof count);
    }
    const auto now = outcome_->read();
    if (now.ready && !told_ready_) {
      notices_.tell("READY=1");
      told_ready_ = true;
    }
    if (now.stopping || now.ended) note_stopping();
    if (deadline_ && !now.ended && std::chrono::steady_clock::now() >= *deadline_)
      hard_exit(*env_, options_.stop_limit, now.code ? now.code : exit_stuck);
    obey_signals();
  }

  /// The limit counts from here: from the signal too, as a root that hangs would never begin to stop.
  void note_stopping() {
    if (deadline_) return;
    notices_.tell("STOPPING=1");
    deadline_ = std::chrono::steady_clock::now() + options_.stop_limit;
  }

  void obey_signals() {
    if (!options_.handle_signals) return;
    const int seen = signals_seen;
    if (seen == signals_obeyed_) return;
    const auto* name = last_signal_seen == SIGINT ? "SIGINT" : "SIGTERM";
    if (last_signal_seen == SIGINT && options_.on_interrupt && options_.on_interrupt()) {
      signals_obeyed_ = seen;
      signals_passed_ = seen;
      return;
    }
    if (seen - signals_passed_ > 1) {
      log::warning(env_->log_source, "{} again: ending at once", name);
      std::_Exit(128 + last_signal_seen);
    }
    signals_obeyed_ = seen;
    log::info(env_->log_source, "{}: stopping", name);
    note_stopping();
    caf::anon_send_exit(root_, caf::exit_reason::user_shutdown);
  }

  supervisor_spec root_spec_;
  process_options options_;
  int wake_fd_;
  std::shared_ptr<environment> env_;
  std::shared_ptr<process_outcome> outcome_;
  service_notices notices_;
  caf::actor root_;
  std::optional<time_point> deadline_;
  bool told_ready_ = false;
  int signals_obeyed_ = 0;
  int signals_passed_ = 0; ///< of them, that were meant for something else
};

} // namespace

int run_process(supervisor_spec root, process_options options) {
  const int wake_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0) {
    log::error(options.log_source, "cannot make an eventfd: {}", std::generic_category().message(errno));
    return exit_gave_up;
  }
  int code = exit_gave_up;
  {
    const signal_scope signals(options.handle_signals, wake_fd);
    process_run run(std::move(root), std::move(options), wake_fd);
    code = run.run();
  }
  ::close(wake_fd);
  return code;
}

int run_main(std::string_view program, const std::function<int()>& body) {
  try {
    return body();
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", program, e.what());
  } catch (...) {
    fmt::print(stderr, "{}: ended by an exception of unknown type\n", program);
  }
  return exit_gave_up;
}

} // namespace swarm::actors
