#include "tools/shim/tied.hpp"

#include "actors/swop/managers/process/host_facts.hpp"
#include "actors/swop/managers/process/spec_json.hpp"
#include "tools/shim/launch.hpp"
#include "tools/shim/protocol.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstring>

namespace swarm::shim {

using namespace managers;

namespace {

constexpr int no_sandbox = 125;

/// False when the parent is gone already.
bool end_with(std::string_view parent) {
  pid_t wanted = 0;
  std::from_chars(parent.data(), parent.data() + parent.size(), wanted);
  return ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == wanted;
}

unique_fd signals_of_interest() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int each : {SIGTERM, SIGINT, SIGCHLD})
    ::sigaddset(&wanted, each);
  ::sigprocmask(SIG_SETMASK, &wanted, nullptr);
  return unique_fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

std::map<std::string, std::string> own_environment() {
  std::map<std::string, std::string> out;
  for (auto** each = environ; *each != nullptr; ++each) {
    const std::string_view text(*each);
    const auto sign = text.find('=');
    if (sign != 0 && sign != std::string_view::npos) out.emplace(text.substr(0, sign), text.substr(sign + 1));
  }
  return out;
}

void say(std::string_view text) {
  const auto line = fmt::format("swarm-shim: {}\n", text);
  std::ignore = ::write(STDERR_FILENO, line.data(), line.size());
}

/// What the first process of the sandbox tells: how the program ended, or a status of this process's own.
std::optional<int> status_of(const packet& heard, const program_spec& spec) {
  switch (heard.what) {
  case tells::ended:
    return WIFSIGNALED(heard.value) ? 128 + WTERMSIG(heard.value) : WEXITSTATUS(heard.value);
  case tells::no_command:
    say(fmt::format("{}: {}", spec.argv.front(), std::strerror(heard.value)));
    return 127;
  case tells::no_folder:
    say(fmt::format("{}: {}", spec.working_directory, std::strerror(heard.value)));
    return no_sandbox;
  default:
    return std::nullopt;
  }
}

result<int> run(const program_spec& spec) {
  const auto signals = signals_of_interest();
  SWARM_TRY(const auto bwrap, find_bwrap());
  SWARM_TRY(const auto sandbox, launch(spec, look_at_host(bwrap), bwrap, {}, STDOUT_FILENO));
  auto status = no_sandbox;
  const auto hear = [&] {
    packet heard{};
    while (::recv(sandbox.init.get(), &heard, sizeof(heard), MSG_DONTWAIT) == sizeof(heard))
      if (const auto told = status_of(heard, spec)) status = *told;
  };
  for (;;) {
    pollfd one{signals.get(), POLLIN, 0};
    ::poll(&one, 1, -1);
    signalfd_siginfo info{};
    while (::read(signals.get(), &info, sizeof(info)) == sizeof(info)) {
      const auto order = told::end;
      if (info.ssi_signo != SIGCHLD)
        std::ignore = ::send(sandbox.init.get(), &order, sizeof(order), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (::waitpid(sandbox.bwrap, nullptr, WNOHANG) != sandbox.bwrap) continue;
    hear();
    return status;
  }
}

} // namespace

int run_tied(std::string_view parent, std::string_view specification) {
  if (!end_with(parent)) return no_sandbox;
  ::syscall(SYS_close_range, 3, ~0U, 0);
  auto spec = read_spec(specification);
  if (spec) spec->environment = own_environment();
  const auto ended = spec ? run(*spec) : tl::unexpected(spec.error());
  if (ended) return *ended;
  say(ended.error().message);
  return no_sandbox;
}

} // namespace swarm::shim
