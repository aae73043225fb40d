#include "actors/swop/managers/process/host_facts.hpp"
#include "actors/swop/managers/process/shim_call.hpp"
#include "tools/shim/init.hpp"
#include "tools/shim/launch.hpp"
#include "tools/shim/shim.hpp"
#include "tools/shim/tied.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <string_view>

// The parent of one program in a sandbox. Started by actors/swop/managers/process only.

namespace {

using namespace swarm;

constexpr const char* usage = "swarm-shim is started by swarmd, for each program that a task runs.\n";

/// Whether the pipe for the report was handed over; without it somebody plays with this program.
bool is_called_by_a_manager() {
  return ::fcntl(managers::report_fd, F_GETFD) >= 0;
}

unique_fd take_report() {
  ::fcntl(managers::report_fd, F_SETFD, FD_CLOEXEC);
  ::syscall(SYS_close_range, managers::report_fd + 1, ~0U, 0);
  return unique_fd(managers::report_fd);
}

int run(const char* folder) {
  ::umask(077);
  if (::chdir("/") != 0) return 1;
  return shim::run_shim(folder, take_report());
}

result<> check(std::string_view uid, std::string_view gid) {
  std::uint32_t user = 0, group = 0;
  std::from_chars(uid.data(), uid.data() + uid.size(), user);
  std::from_chars(gid.data(), gid.data() + gid.size(), group);
  SWARM_TRY(const auto bwrap, managers::find_bwrap());
  if (!shim::drop_rights(user, group))
    return fail(managers::manager_errc::forbidden, "the rights of user {} and group {} cannot be taken on",
                user, group);
  return managers::try_sandbox(bwrap);
}

int report_check(std::string_view uid, std::string_view gid) {
  const auto to = take_report();
  const auto text = managers::write_report(check(uid, gid));
  return ::write(to.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  // Whatever runs at an exit has no place in a sandbox.
  if (what == "init") ::_exit(shim::run_init(argc > 2 && std::string_view(argv[2]) == shim::count_processes));
  if (what == "run" && argc == 3 && is_called_by_a_manager()) return run(argv[2]);
  if (what == "check" && argc == 4 && is_called_by_a_manager()) return report_check(argv[2], argv[3]);
  if (what == "tied" && argc == 4) return shim::run_tied(argv[2], argv[3]);
  std::fputs(usage, stderr);
  return 2;
}
