#include "tools/shim/shim.hpp"

#include "actors/swop/managers/process/cgroup.hpp"
#include "actors/swop/managers/process/host_facts.hpp"
#include "actors/swop/managers/process/output_log.hpp"
#include "actors/swop/managers/process/shim_call.hpp"
#include "tools/shim/control.hpp"
#include "tools/shim/launch.hpp"
#include "tools/shim/protocol.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <sstream>
#include <thread>

namespace swarm::shim {

using namespace managers;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds grace_of_signal{10'000};  ///< for SIGTERM and the deadline, which name none
constexpr milliseconds patience_for_rest{5'000}; ///< for what is left once bubblewrap has ended
constexpr milliseconds state_retry{500};
constexpr int state_retries = 120;

time_point now() {
  return std::chrono::steady_clock::now();
}

/// How many processes the kernel has killed on this host for want of memory.
std::uint64_t oom_kills() {
  std::istringstream lines(read_file("/proc/vmstat", 256 * 1024).value_or(""));
  std::string name;
  for (std::uint64_t value = 0; lines >> name >> value;)
    if (name == "oom_kill") return value;
  return 0;
}

/// A manager that looks whether a shim lives holds the lock for a moment.
result<file> lock_of(const program_folder& folder) {
  for (int tries = 0;; ++tries) {
    auto lock = file::lock(folder.lock_file());
    if (lock || !lock.error().is(file_errc::locked) || tries == 200) return lock;
    std::this_thread::sleep_for(milliseconds(10));
  }
}

void send_report(unique_fd& to, const result<>& how) {
  if (!to) return;
  const auto text = write_report(how);
  std::ignore = ::write(to.get(), text.data(), text.size());
  to = {};
}

unique_fd signals_of_interest() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int each : {SIGTERM, SIGINT, SIGCHLD})
    ::sigaddset(&wanted, each);
  ::sigprocmask(SIG_SETMASK, &wanted, nullptr);
  for (const int each : {SIGPIPE, SIGHUP, SIGXFSZ})
    ::signal(each, SIG_IGN);
  return unique_fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

class shim {
public:
  shim(program_folder folder, program_spec spec, output_log log, control commands, unique_fd& report)
      : folder_(std::move(folder)), spec_(std::move(spec)), log_(std::move(log)),
        commands_(std::move(commands)), report_(report), signals_(signals_of_interest()) {
    state_.boot = boot_id();
    state_.shim = process_of(::getpid()).value_or(process_id{});
  }

  /// Fails when the program never ran, which has not been reported yet then.
  result<> run() {
    if (const auto done = start(); !done) {
      finish({.cause = ending_cause::not_started, .message = done.error().message});
      return done;
    }
    while (!is_over())
      step();
    while (drain() || hear_init()) { // what came in the last moment
    }
    finish(how_it_ended());
    if (state_.cgroup) std::ignore = remove_cgroup(*state_.cgroup);
    if (started_ms_) return {};
    const auto& how = std::get<shim_state::ended>(state_.phase).how;
    const auto code = how.cause == ending_cause::no_such_command ? manager_errc::no_such_command
                                                                 : manager_errc::not_started;
    return fail(code, "{}: {}", spec_.name, how.message);
  }

private:
  result<> start() {
    SWARM_TRY(const auto bwrap, find_bwrap());
    std::optional<program_cgroup> cgroup;
    if (const auto parent = delegated_cgroup())
      if (auto made = make_cgroup(*parent, spec_.name, spec_.limits)) cgroup = *made;
    if (cgroup) state_.cgroup = cgroup->id;
    SWARM_CHECK(folder_.put_room_aside());
    SWARM_CHECK(folder_.write(state_)); // names the cgroup before anything is in it
    oom_kills_before_ = oom_kills();
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      return fail(manager_errc::io, "a pipe: {}", std::strerror(errno));
    output_ = unique_fd(ends[0]);
    const unique_fd write_end(ends[1]);
    ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
    SWARM_TRY(sandbox_, launch(spec_, look_at_host(bwrap), bwrap, cgroup, write_end.get()));
    return {};
  }

  /// Waits for one thing to happen, or for the next point in time, and acts on it.
  void step() {
    std::vector<pollfd> fds{{signals_.get(), POLLIN, 0}};
    if (output_) fds.push_back({output_.get(), POLLIN, 0});
    if (sandbox_.init) fds.push_back({sandbox_.init.get(), POLLIN, 0});
    commands_.add_to(fds);
    ::poll(fds.data(), fds.size(), wait_ms());
    take_signals();
    while (hear_init()) {
    }
    drain();
    if (const auto grace = commands_.serve(now())) stop(ending_cause::told, *grace);
    if (const auto grace = asked_by_file()) stop(ending_cause::told, *grace);
    if (deadline_ && now() >= *deadline_) {
      deadline_.reset();
      stop(ending_cause::deadline, grace_of_signal);
    }
    if (!told_ && !is_known()) stop(ending_cause::told, milliseconds(0));
    if (kill_at_ && now() >= *kill_at_) kill_all();
  }

  /// Whether anybody can still find this program: without its folder nobody could ever stop it.
  bool is_known() const { return ::access(folder_.spec_file().c_str(), F_OK) == 0; }

  /// Of a manager on another host, which cannot reach the socket: the same words in a file.
  std::optional<milliseconds> asked_by_file() const {
    const auto text = read_file(folder_.where() / program_folder::stop_name, 64);
    return text ? read_stop(*text) : std::nullopt;
  }

  int wait_ms() const {
    auto until =
        now() + milliseconds(bwrap_ended_ ? 20 : 1000); // clients that say nothing are looked at, too
    for (const auto& each : {deadline_, kill_at_})
      if (each) until = std::min(until, *each);
    return static_cast<int>(
        std::max<std::int64_t>(0, std::chrono::ceil<milliseconds>(until - now()).count()));
  }

  /// When nothing of the sandbox is left, or what is left cannot be waited for.
  bool is_over() const {
    if (!bwrap_ended_) return false;
    const bool nobody = !init_ || has_ended(*init_);
    return (nobody && !output_) || now() >= *bwrap_ended_ + patience_for_rest;
  }

  void take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof(info)) == sizeof(info))
      if (info.ssi_signo != SIGCHLD) stop(ending_cause::told, grace_of_signal);
    if (!bwrap_ended_ && ::waitpid(sandbox_.bwrap, nullptr, WNOHANG) == sandbox_.bwrap) {
      bwrap_ended_ = now();
      if (init_) send_signal(*init_, SIGKILL);
    }
  }

  void stop(ending_cause why, milliseconds grace) {
    if (!told_) told_ = why;
    const auto at = now() + grace;
    kill_at_ = kill_at_ ? std::min(*kill_at_, at) : at;
    const auto order = told::end;
    if (sandbox_.init)
      std::ignore = ::send(sandbox_.init.get(), &order, sizeof(order), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  void kill_all() {
    kill_at_ = now() + milliseconds(1000); // until it has worked
    if (!bwrap_ended_) ::kill(sandbox_.bwrap, SIGKILL);
    if (init_) send_signal(*init_, SIGKILL);
    sandbox_.init = {}; // the first process takes this as the shim's death
    was_killed_ = true;
  }

  /// False when there is nothing to read now.
  bool drain() {
    if (!output_) return false;
    std::array<char, 64 * 1024> part{};
    const auto count = ::read(output_.get(), part.data(), part.size());
    if (count > 0) {
      const std::string_view text(part.data(), static_cast<std::size_t>(count));
      log_.write(text);
      if (!started_ms_)
        said_before_start_.append(
            text.substr(0, 4096 - std::min<std::size_t>(4096, said_before_start_.size())));
      return true;
    }
    if (count == 0) output_ = {};
    return false;
  }

  /// False when there is nothing to hear now.
  bool hear_init() {
    if (!sandbox_.init) return false;
    packet heard{};
    iovec part{&heard, sizeof(heard)};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> space{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = space.data();
    message.msg_controllen = space.size();
    const auto count = ::recvmsg(sandbox_.init.get(), &message, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count != sizeof(heard)) {
      sandbox_.init = {};
      return false;
    }
    ucred who{};
    if (const auto* header = CMSG_FIRSTHDR(&message);
        header != nullptr && header->cmsg_type == SCM_CREDENTIALS)
      std::memcpy(&who, CMSG_DATA(header), sizeof(who));
    take(heard, who.pid);
    return true;
  }

  void take(const packet& heard, int pid) {
    switch (heard.what) {
    case tells::here:
      if (init_id_) break;
      init_id_ = process_of(pid);
      if (init_id_) init_ = open_process(*init_id_);
      if (counts_processes(spec_)) run_before_others(pid);
      break;
    case tells::started:
      if (!started_ms_) on_started();
      break;
    case tells::ended:
      if (!status_) status_ = heard.value;
      break;
    default:
      if (!failure_) failure_ = heard;
    }
  }

  void on_started() {
    started_ms_ = unix_milliseconds();
    if (spec_.run_time_max) deadline_ = now() + *spec_.run_time_max;
    state_.phase = shim_state::running{init_id_.value_or(process_id{}), *started_ms_};
    // Without it a manager that comes later could not find the sandbox if this process is gone.
    if (const auto written = write_state(); !written) {
      failure_text_ = written.error().message;
      stop(ending_cause::not_started, milliseconds(0));
      return;
    }
    send_report(report_, {});
  }

  /// On a disk without room what was put aside goes first, then rotated output.
  result<> write_state() {
    auto done = folder_.write(state_);
    if (!done) {
      folder_.free_room();
      done = folder_.write(state_);
    }
    if (!done) {
      log_.make_room();
      done = folder_.write(state_);
    }
    return done;
  }

  void finish(ending how) {
    state_.phase = shim_state::ended{started_ms_.value_or(0), unix_milliseconds(), std::move(how)};
    // Of a program that never ran the caller is told, and needs no state.
    for (int tries = 0; !write_state() && started_ms_ && is_known() && tries < state_retries; ++tries)
      std::this_thread::sleep_for(state_retry);
  }

  ending how_it_ended() const {
    ending out{.cause = told_.value_or(ending_cause::itself), .message = failure_text_};
    if (!started_ms_) return how_it_failed();
    if (status_ && WIFEXITED(*status_)) out.exit_code = WEXITSTATUS(*status_);
    if (status_ && WIFSIGNALED(*status_)) out.signal = WTERMSIG(*status_);
    if (!status_ && was_killed_) out.signal = SIGKILL;
    if (failure_ && failure_->what == tells::too_many) {
      out.cause = ending_cause::process_limit;
      out.message = "it had more processes than it may have";
    } else if (!told_ && ended_for_memory(out.signal == SIGKILL || !status_)) {
      out.cause = ending_cause::out_of_memory;
    } else if (!told_ && !status_) {
      out.cause = ending_cause::lost;
      out.message = "its sandbox was killed from outside";
    }
    return out;
  }

  bool ended_for_memory(bool killed) const {
    if (state_.cgroup && ran_out_of_memory(*state_.cgroup)) return true;
    return killed && oom_kills() > oom_kills_before_;
  }

  ending how_it_failed() const {
    if (told_ && *told_ != ending_cause::not_started)
      return {.cause = *told_, .message = "before it had started"};
    if (failure_ && failure_->what == tells::no_command)
      return {.cause = ending_cause::no_such_command,
              .message = fmt::format("{}: {}; the sandbox has /usr and what the mounts name",
                                     spec_.argv.front(), std::strerror(failure_->value))};
    if (failure_ && failure_->what == tells::no_folder)
      return {.cause = ending_cause::not_started,
              .message = fmt::format("{}: cannot be the working directory: {}", spec_.working_directory,
                                     std::strerror(failure_->value))};
    const auto said = last_lines_of(said_before_start_, 1);
    return {.cause = ending_cause::not_started,
            .message = said.empty() ? "the sandbox could not be made" : said.front()};
  }

  program_folder folder_;
  program_spec spec_;
  output_log log_;
  control commands_;
  unique_fd& report_; ///< closed once it is used
  unique_fd signals_;
  shim_state state_;
  launched sandbox_;
  unique_fd output_; ///< what the program writes
  std::optional<process_id> init_id_;
  std::optional<unique_fd> init_;
  std::optional<std::uint64_t> started_ms_;
  std::optional<int> status_;
  std::optional<packet> failure_;
  std::string failure_text_;
  std::string said_before_start_;
  std::optional<ending_cause> told_;
  std::optional<time_point> deadline_;
  std::optional<time_point> kill_at_;
  std::optional<time_point> bwrap_ended_;
  bool was_killed_ = false;
  std::uint64_t oom_kills_before_ = 0;
};

/// Runs the program of a folder that this process has locked.
result<> run_locked(const program_folder& folder, unique_fd& report) {
  SWARM_TRY(auto spec, folder.spec());
  const auto where = folder.output(spec);
  SWARM_CHECK(make_folders(where, 0700));
  SWARM_TRY(auto log, output_log::open(where, spec.output));
  SWARM_TRY(auto commands, control::open(folder.where()));
  return shim(folder, std::move(spec), std::move(log), std::move(commands), report).run();
}

} // namespace

int run_shim(const std::filesystem::path& where, unique_fd report) {
  const program_folder folder(where);
  const auto how = [&]() -> result<> {
    SWARM_TRY(const auto lock, lock_of(folder));
    return run_locked(folder, report);
  }();
  // Whoever hears of a failure may remove the folder, which nobody has locked by now.
  send_report(report, how);
  return how ? 0 : 1;
}

} // namespace swarm::shim
