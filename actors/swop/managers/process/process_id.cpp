#include "actors/swop/managers/process/process_id.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>

namespace swarm::managers {

namespace {

/// The 22nd field of /proc/PID/stat. The second one, a name in brackets, may hold anything, brackets too.
std::optional<std::uint64_t> start_in(std::string_view stat) {
  const auto name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  auto rest = stat.substr(name_end + 1);
  for (int field = 2; field < 22; ++field) {
    const auto space = rest.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(space + 1);
  }
  std::uint64_t out = 0;
  if (std::from_chars(rest.data(), rest.data() + rest.size(), out).ec != std::errc{}) return std::nullopt;
  return out;
}

} // namespace

std::string boot_id() {
  auto text = read_file("/proc/sys/kernel/random/boot_id", 100).value_or("unknown");
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

std::optional<process_id> process_of(int pid) {
  if (pid <= 0) return std::nullopt;
  const auto stat = read_file(fmt::format("/proc/{}/stat", pid), 4096);
  if (!stat) return std::nullopt;
  if (const auto start = start_in(*stat)) return process_id{pid, *start};
  return std::nullopt;
}

std::optional<unique_fd> open_process(const process_id& id) {
  if (id.pid <= 0) return std::nullopt;
  unique_fd out(static_cast<int>(::syscall(SYS_pidfd_open, id.pid, 0)));
  // Looked at once the descriptor holds on to the process: the number cannot go to another in between.
  if (!out || process_of(id.pid) != id) return std::nullopt;
  return out;
}

bool has_ended(const unique_fd& pidfd) {
  pollfd one{pidfd.get(), POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

void reap(const unique_fd& pidfd) {
  siginfo_t ignored{};
  std::ignore = ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &ignored, WEXITED | WNOHANG);
}

bool send_signal(const unique_fd& pidfd, int signal) {
  return ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0;
}

std::string path_of_fd(int fd) {
  return fmt::format("/proc/self/fd/{}", fd);
}

} // namespace swarm::managers
