#include "tools/shim/launch.hpp"

#include "actors/swop/managers/manager.hpp"
#include "actors/swop/managers/process/spec_json.hpp"
#include "tools/shim/protocol.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace swarm::shim {

using namespace managers;

namespace {

tl::unexpected<error> lacks(std::string_view what) {
  return fail(manager_errc::io, "a sandbox needs {}: {}", what, std::strerror(errno));
}

/// Descriptors that the sandbox is to find under fixed numbers are kept above all of those until then.
constexpr int above = 64;

result<unique_fd> moved_up(int fd, std::string_view what) {
  const unique_fd old(fd);
  if (fd < 0) return lacks(what);
  unique_fd out(::fcntl(fd, F_DUPFD_CLOEXEC, above));
  if (!out) return lacks(what);
  return out;
}

/// A file in memory with `content`, read from its beginning.
result<unique_fd> file_of(std::string_view content) {
  SWARM_TRY(auto out, moved_up(::memfd_create("swarm-shim", MFD_CLOEXEC), "a file in memory"));
  for (auto rest = content; !rest.empty();) {
    const auto count = ::write(out.get(), rest.data(), rest.size());
    if (count <= 0) return lacks("memory for a file");
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  // A new description is at the beginning, and cannot be written to.
  const auto again = "/proc/self/fd/" + std::to_string(out.get());
  return moved_up(::open(again.c_str(), O_RDONLY | O_CLOEXEC), "a file in memory");
}

struct placed {
  unique_fd fd;
  int at;
};

result<std::vector<placed>> inherited(const sandbox& box, const program_spec& for_init, int socket,
                                      int output) {
  std::vector<placed> out;
  SWARM_TRY(auto nothing, moved_up(::open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null"));
  out.push_back({std::move(nothing), 0});
  for (const int at : {1, 2}) {
    SWARM_TRY(auto end, moved_up(::fcntl(output, F_DUPFD_CLOEXEC, above), "a pipe"));
    out.push_back({std::move(end), at});
  }
  std::string options;
  for (const auto& each : box.options)
    options.append(each).push_back('\0');
  SWARM_TRY(auto options_file, file_of(options));
  out.push_back({std::move(options_file), sandbox_fd::options});
  SWARM_TRY(auto self, moved_up(::open("/proc/self/exe", O_PATH | O_CLOEXEC), "its own executable"));
  out.push_back({std::move(self), sandbox_fd::init});
  SWARM_TRY(auto end, moved_up(::fcntl(socket, F_DUPFD_CLOEXEC, above), "a socket"));
  out.push_back({std::move(end), sandbox_fd::shim});
  SWARM_TRY(auto spec_file, file_of(write_spec(for_init)));
  out.push_back({std::move(spec_file), sandbox_fd::spec});
  for (const auto& each : box.files) {
    SWARM_TRY(auto file, file_of(each.content));
    out.push_back({std::move(file), each.fd});
  }
  return out;
}

/// In the child: what it could not do it says on its standard error, which is the program's output.
[[noreturn]] void become_bwrap(const program_spec& spec, const std::filesystem::path& bwrap,
                               const std::vector<placed>& fds, int cgroup_procs, bool counts) {
  for (const auto& each : fds)
    ::dup2(each.fd.get(), each.at);
  const auto give_up = [](std::string_view what) {
    const auto text = fmt::format("swarm-shim: {}: {}\n", what, std::strerror(errno));
    std::ignore = ::write(2, text.data(), text.size());
    ::_exit(127);
  };
  if (cgroup_procs >= 0 && ::write(cgroup_procs, "0", 1) != 1) give_up("cannot enter its cgroup");
  if (!drop_rights(spec.uid, spec.gid)) give_up("cannot take on the rights of the program's user");
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  auto options_at = std::to_string(sandbox_fd::options);
  auto init = "/proc/self/fd/" + std::to_string(sandbox_fd::init);
  std::array<const char*, 8> words{bwrap.c_str(),
                                   "--args",
                                   options_at.c_str(),
                                   "--",
                                   init.c_str(),
                                   "init",
                                   counts ? count_processes : nullptr,
                                   nullptr};
  std::array<char*, 1> environment{nullptr};
  ::execve(bwrap.c_str(), const_cast<char* const*>(words.data()), environment.data());
  give_up("cannot execute bubblewrap");
  ::_exit(127);
}

} // namespace

bool counts_processes(const program_spec& spec) {
  return ::geteuid() == 0 && spec.uid == 0;
}

void run_before_others(int pid) {
  sched_param lowest_of_those{};
  lowest_of_those.sched_priority = 1;
  std::ignore = ::sched_setscheduler(pid, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest_of_those);
}

bool drop_rights(std::uint32_t uid, std::uint32_t gid) {
  if (::geteuid() != 0) return true;
  return ::setgroups(0, nullptr) == 0 && ::setresgid(gid, gid, gid) == 0 && ::setresuid(uid, uid, uid) == 0;
}

result<launched> launch(const program_spec& spec, const host_facts& host, const std::filesystem::path& bwrap,
                        const std::optional<program_cgroup>& cgroup, int output) {
  std::array<int, 2> sockets{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) != 0) return lacks("a socket");
  launched out;
  out.init = unique_fd(sockets[0]);
  const unique_fd theirs(sockets[1]);
  const int yes = 1;
  ::setsockopt(out.init.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes));
  auto for_init = spec;
  if (cgroup && cgroup->limits_memory) for_init.limits.memory_bytes.reset();
  if (cgroup && cgroup->limits_cpu) for_init.limits.cpu_percent.reset();
  if (cgroup && cgroup->limits_processes) for_init.limits.processes.reset();
  SWARM_TRY(const auto fds, inherited(sandbox_of(spec, host), for_init, theirs.get(), output));
  unique_fd procs;
  if (cgroup) procs = unique_fd(::open((cgroup->id.path + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  const bool counts = counts_processes(spec);
  out.bwrap = ::fork();
  if (out.bwrap == 0) become_bwrap(spec, bwrap, fds, procs.get(), counts);
  if (out.bwrap < 0) return lacks("a process");
  return out;
}

} // namespace swarm::shim
