#include "tools/shim/init.hpp"

#include "actors/swop/managers/process/sandbox.hpp"
#include "actors/swop/managers/process/spec_json.hpp"
#include "base/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>

namespace swarm::shim {

using namespace managers;

namespace {

constexpr int count_every_ms = 5; // a fork bomb doubles in less than one

void tell(tells what, int value = 0) {
  const packet out{what, value};
  std::ignore = ::send(sandbox_fd::shim, &out, sizeof(out), MSG_NOSIGNAL);
}

void limit(int what, const std::optional<std::uint64_t>& most) {
  if (!most) return;
  const rlimit value{*most, *most};
  ::setrlimit(static_cast<__rlimit_resource_t>(what), &value);
}

/// So many of the processors that this process may use that `percent` fits; which ones, follows from the name.
void keep_to_processors(std::uint64_t percent, const std::string& name) {
  cpu_set_t all, some;
  if (::sched_getaffinity(0, sizeof(all), &all) != 0) return;
  std::vector<int> allowed;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &all)) allowed.push_back(i);
  const auto wanted = std::clamp<std::uint64_t>((percent + 99) / 100, 1, allowed.size());
  CPU_ZERO(&some);
  const auto first = std::hash<std::string>{}(name);
  for (std::uint64_t i = 0; i < wanted; ++i)
    CPU_SET(allowed[(first + i) % allowed.size()], &some);
  ::sched_setaffinity(0, sizeof(some), &some);
}

/// All rights that a user of the sandbox could have over it, for good: its first user could regain them otherwise.
void give_up_capabilities() {
  for (int each = 0; each <= 63; ++each)
    ::prctl(PR_CAPBSET_DROP, each, 0, 0, 0);
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  ::syscall(SYS_capset, &header, none.data());
}

void apply_limits(const program_spec& spec) {
  const auto& limits = spec.limits;
  limit(RLIMIT_CORE, 0);
  // Not the address space, of which GPU libraries reserve far more than they use.
  limit(RLIMIT_DATA, limits.memory_bytes);
  limit(RLIMIT_CPU, limits.cpu_seconds);
  limit(RLIMIT_FSIZE, limits.file_bytes);
  limit(RLIMIT_NOFILE, limits.open_files);
  if (limits.processes) limit(RLIMIT_NPROC, *limits.processes + 1); // with this process
  if (limits.cpu_percent) keep_to_processors(*limits.cpu_percent, spec.name);
}

/// In the child: becomes the program. Says over `failed` which step did not go well.
[[noreturn]] void become(const program_spec& spec, int failed) {
  const auto give_up = [&](tells step) {
    const packet out{step, errno};
    std::ignore = ::write(failed, &out, sizeof(out));
    ::_exit(127);
  };
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setsid();
  ::clearenv();
  for (const auto& [name, value] : environment_of(spec))
    ::setenv(name.c_str(), value.c_str(), 1);
  if (::chdir(spec.working_directory.c_str()) != 0) give_up(tells::no_folder);
  std::vector<char*> words;
  auto argv = spec.argv;
  for (auto& each : argv)
    words.push_back(each.data());
  words.push_back(nullptr);
  apply_limits(spec);
  ::execvp(words[0], words.data());
  give_up(tells::no_command);
  ::_exit(127);
}

/// The program's process; 0 when it could not be started, which the shim has been told then.
pid_t start_program(const program_spec& spec) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return tell(tells::no_command, errno), 0;
  const auto child = ::fork();
  if (child == 0) become(spec, ends[1]);
  ::close(ends[1]);
  packet failed{};
  const bool ran = child > 0 && ::read(ends[0], &failed, sizeof(failed)) == 0;
  ::close(ends[0]);
  if (ran) return child;
  if (child < 0) failed = {tells::no_command, errno};
  tell(failed.what, failed.value);
  return 0;
}

/// All processes in the sandbox but this one.
std::uint64_t processes() {
  std::uint64_t out = 0;
  auto* folder = ::opendir("/proc");
  if (folder == nullptr) return 0;
  while (const auto* entry = ::readdir(folder))
    out += entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
  ::closedir(folder);
  return out - std::min<std::uint64_t>(out, 1);
}

/// Waits for all that have ended. What became of `program`, if it is among them.
std::optional<int> reap(pid_t program) {
  std::optional<int> out;
  int status = 0;
  for (pid_t who = 0; (who = ::waitpid(-1, &status, WNOHANG)) > 0;)
    if (who == program) out = status;
  return out;
}

/// Until the program ends or the shim does.
int watch(pid_t program, int signals, std::optional<std::uint64_t> processes_max) {
  for (;;) {
    if (const auto status = reap(program)) return tell(tells::ended, *status), 0;
    std::array<pollfd, 2> fds{pollfd{signals, POLLIN, 0}, pollfd{sandbox_fd::shim, POLLIN, 0}};
    ::poll(fds.data(), fds.size(), processes_max ? count_every_ms : -1);
    signalfd_siginfo ignored{};
    if (fds[0].revents != 0) std::ignore = ::read(signals, &ignored, sizeof(ignored));
    if (fds[1].revents != 0) {
      auto order = told{};
      if (::recv(sandbox_fd::shim, &order, sizeof(order), MSG_DONTWAIT) <= 0) return 1;
      if (order == told::end) ::kill(-1, SIGTERM);
    }
    if (processes_max && processes() > *processes_max) return tell(tells::too_many), 1;
  }
}

} // namespace

int run_init(bool counts) {
  // Nobody in the sandbox may look into this process, and nothing of it goes to the program.
  ::prctl(PR_SET_DUMPABLE, 0);
  give_up_capabilities();
  ::syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  const int signals = ::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  tell(tells::here);
  const auto text = read_file("/proc/self/fd/" + std::to_string(sandbox_fd::spec), spec_bytes_max);
  const auto spec = text ? read_spec(*text) : tl::unexpected(text.error());
  if (!spec) return tell(tells::no_spec), 1;
  const auto program = start_program(*spec);
  if (program == 0) return 1;
  tell(tells::started);
  return watch(program, signals, counts ? spec->limits.processes : std::nullopt);
}

} // namespace swarm::shim
