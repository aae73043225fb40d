#include "actors/swop/managers/process/build/child.hpp"

#include "base/file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

namespace swarm::build {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t line_bytes_max = 4096;
constexpr std::chrono::seconds rest_max{5}; ///< for output that others than the group may write

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& each : texts)
    out.push_back(each.data());
  out.push_back(nullptr);
  return out;
}

/// Where the program lies; posix_spawnp would look in this process's PATH.
std::string find_program(const child_command& what) {
  const auto& name = what.words.front();
  if (name.find('/') != std::string::npos) return name;
  const auto path = what.environment.find("PATH");
  std::string_view rest = "/usr/local/bin:/usr/bin:/bin";
  if (path != what.environment.end()) rest = path->second;
  while (!rest.empty()) {
    const auto folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    auto program = fs::path(folder) / name;
    if (!folder.empty() && ::access(program.c_str(), X_OK) == 0) return program;
  }
  return name;
}

/// What posix_spawn is told, released at the end.
struct spawn_rules {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};

  spawn_rules() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes,
                               POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~spawn_rules() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
  spawn_rules(const spawn_rules&) = delete;
  spawn_rules& operator=(const spawn_rules&) = delete;
};

/// Output by lines.
class line_cutter {
public:
  explicit line_cutter(const std::function<void(std::string_view)>& on_line) : on_line_(on_line) {}

  void add(std::string_view text) {
    for (const char c : text) {
      if (c == '\n' || c == '\r')
        end_line();
      else if (line_.size() < line_bytes_max)
        line_ += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
  }
  void end_line() {
    if (line_.find_first_not_of(' ') != std::string::npos) {
      if (on_line_) on_line_(line_);
      last_ = line_;
    }
    line_.clear();
  }
  const std::string& last() const { return last_; }

private:
  const std::function<void(std::string_view)>& on_line_;
  std::string line_;
  std::string last_;
};

class running_child {
public:
  running_child(pid_t pid, unique_fd output, const child_limits& limits, const std::stop_token& stop,
                const std::function<void(std::string_view)>& on_line)
      : pid_(pid), output_(std::move(output)), limits_(limits), stop_(stop), lines_(on_line),
        ended_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))),
        woken_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  result<child_end> wait() {
    {
      const std::stop_callback wake(stop_, [this] { ::eventfd_write(woken_.get(), 1); });
      follow();
    }
    const int exit_code = reap();
    read_to_end();
    lines_.end_line();
    if (why_) return fail(*why_, "{}", *why_ == child_errc::stopped ? "stopped" : "not finished in time");
    return child_end{exit_code, lines_.last()};
  }

private:
  /// Until the program has ended, by itself or not.
  void follow() {
    std::array<pollfd, 3> of{
        {{ended_.get(), POLLIN, 0}, {output_.get(), POLLIN, 0}, {woken_.get(), POLLIN, 0}}};
    for (;;) {
      const auto now = clock::now();
      if (!why_ && stop_.stop_requested()) ask_to_end(child_errc::stopped, now);
      if (!why_ && now >= limits_.deadline) ask_to_end(child_errc::out_of_time, now);
      if (why_ && now >= kill_at_) ::kill(-pid_, SIGKILL);
      if (why_) of[2].fd = -1;
      const auto until = why_ ? std::max(kill_at_, now + std::chrono::milliseconds(100)) : limits_.deadline;
      const auto time = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
      ::poll(of.data(), of.size(), static_cast<int>(std::clamp<std::int64_t>(time, 0, 3'600'000)));
      if (of[1].revents != 0 && !read_output()) of[1].fd = -1;
      if (of[0].revents != 0) return;
    }
  }

  void ask_to_end(child_errc why, clock::time_point now) {
    why_ = why;
    kill_at_ = now + limits_.grace;
    ::kill(-pid_, SIGTERM);
  }

  /// False at the end of the output.
  bool read_output() {
    std::array<char, 16 * 1024> chunk{};
    for (;;) {
      const auto count = ::read(output_.get(), chunk.data(), chunk.size());
      if (count > 0) lines_.add({chunk.data(), static_cast<std::size_t>(count)});
      if (count == 0) return false;
      if (count < 0 && errno != EINTR) return errno == EAGAIN;
    }
  }

  /// What was still in the pipe. A sandbox ends a moment after the group that made it, and its output with it.
  void read_to_end() {
    const auto until = clock::now() + rest_max;
    pollfd one{output_.get(), POLLIN, 0};
    while (read_output()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()).count();
      if (left <= 0 || ::poll(&one, 1, static_cast<int>(left)) == 0) return;
    }
  }

  /// What is left of the group is killed while its number still belongs to it.
  int reap() {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

  pid_t pid_;
  unique_fd output_;
  const child_limits& limits_;
  const std::stop_token& stop_;
  line_cutter lines_;
  unique_fd ended_;
  unique_fd woken_;
  std::optional<child_errc> why_;
  clock::time_point kill_at_{};
};

} // namespace

result<child_end> run_child(const child_command& what, const child_limits& limits,
                            const std::stop_token& stop,
                            const std::function<void(std::string_view)>& on_line) {
  if (stop.stop_requested()) return fail(child_errc::stopped, "stopped");
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return fail(child_errc::not_started, "no pipe: {}", std::strerror(errno));
  unique_fd reading(ends[0]);
  unique_fd writing(ends[1]);
  ::fcntl(reading.get(), F_SETFL, O_NONBLOCK);
  spawn_rules rules;
  ::posix_spawn_file_actions_addopen(&rules.files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&rules.files, writing.get(), 1);
  ::posix_spawn_file_actions_adddup2(&rules.files, writing.get(), 2);
  ::posix_spawn_file_actions_addchdir_np(&rules.files, what.folder.c_str());
  auto words = what.words;
  std::vector<std::string> environment;
  for (const auto& [name, value] : what.environment)
    environment.push_back(fmt::format("{}={}", name, value));
  pid_t pid = 0;
  const auto program = find_program(what);
  const int failed = ::posix_spawn(&pid, program.c_str(), &rules.files, &rules.attributes,
                                   pointers_to(words).data(), pointers_to(environment).data());
  if (failed != 0)
    return fail(child_errc::not_started, "{}: cannot be started: {}", program, std::strerror(failed));
  writing = unique_fd();
  return running_child(pid, std::move(reading), limits, stop, on_line).wait();
}

} // namespace swarm::build
