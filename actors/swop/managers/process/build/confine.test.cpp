// Commands of a build in real sandboxes, where the host allows them.
#include "actors/swop/managers/process/build/confine.hpp"

#include "actors/swop/managers/process/build/testing/sandboxes.hpp"
#include "base/file.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace confine_test {

using namespace swarm;
using namespace swarm::build;
using namespace std::chrono_literals;
using swarm::transport::test::read_file;
using swarm::transport::test::write_file;
namespace fs = std::filesystem;

namespace {

struct fixture {
  transport::test::temp_folder folder;
  fs::path work = folder.path() / "work";
  child_limits limits{.deadline = std::chrono::steady_clock::now() + transport::test::patience,
                      .grace = 200ms};
  std::vector<std::string> lines;

  fixture() { fs::create_directories(work); }

  result<child_end> run(std::string script, const std::stop_token& stop = {},
                        const std::function<void(std::string_view)>& more = {}) {
    auto command = test::in_sandbox({{"sh", "-c", std::move(script)},
                                     {{"PATH", "/usr/bin:/bin"}, {"A", "1 2"}},
                                     work,
                                     {{work.native(), work.native(), true}}});
    REQUIRE(command);
    return run_child(*command, limits, stop, [&](std::string_view line) {
      lines.emplace_back(line);
      if (more) more(line);
    });
  }
};

/// A FIFO that shows by its end that nobody holds it any more.
class sign_of_life {
public:
  explicit sign_of_life(const fs::path& at) {
    REQUIRE(::mkfifo(at.c_str(), 0600) == 0);
    fd_ = unique_fd(::open(at.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  }
  /// Waits until somebody has written to it.
  bool begins() const { return readable() && read() == 1; }
  /// Waits until all who had it are gone.
  bool ends() const { return readable() && read() == 0; }

private:
  bool readable() const {
    pollfd one{fd_.get(), POLLIN, 0};
    return ::poll(&one, 1, std::chrono::milliseconds(transport::test::patience).count()) == 1;
  }
  ssize_t read() const {
    char out = 0;
    return ::read(fd_.get(), &out, 1);
  }
  unique_fd fd_;
};

} // namespace

TEST_CASE_FIXTURE(fixture, "a confined command: its mounts and the system, its environment, its exit code") {
  if (!test::has_sandboxes()) return;
  write_file(folder.path() / "secret", "secret");
  const auto secret = (folder.path() / "secret").native();
  const auto end = run("echo \"$A\" $(pwd); cat " + secret + " || echo no secret; echo made > here; exit 3");
  REQUIRE_MESSAGE(end, end.error().message);
  CHECK(end->exit_code == 3);
  REQUIRE(lines.size() == 3);
  CHECK(lines.front() == "1 2 " + work.native());
  CHECK(lines.back() == "no secret");
  CHECK(read_file(work / "here") == "made\n");
  CHECK(run("kill -9 $$")->exit_code == 137);
  lines.clear();
  const auto missing = test::in_sandbox({{"no-such-program"}, {}, "/", {}});
  REQUIRE(missing);
  CHECK(run_child(*missing, limits, {}, {})->exit_code == 127);
}

TEST_CASE_FIXTURE(fixture, "a stop ends all of a sandbox, background and sessions of their own included") {
  if (!test::has_sandboxes()) return;
  const sign_of_life sign(work / "sign");
  std::stop_source stop;
  const auto end = run("trap '' TERM; setsid sh -c 'exec 3>sign; printf x >&3; exec sleep 600' & sleep 0.1; "
                       "while :; do echo on; sleep 0.05; done",
                       stop.get_token(), [&](std::string_view) {
                         if (!stop.stop_requested() && sign.begins()) stop.request_stop();
                       });
  REQUIRE_FALSE(end);
  CHECK(end.error().is(child_errc::stopped));
  CHECK(sign.ends());
}

TEST_CASE_FIXTURE(fixture, "nothing is left of a sandbox whose caller was killed") {
  if (!test::has_sandboxes()) return;
  const sign_of_life sign(work / "sign");
  const auto caller = ::fork();
  if (caller == 0) {
    std::ignore = run("exec 3>sign; printf x >&3; trap '' TERM HUP PIPE; while :; do sleep 600; done");
    ::_exit(0);
  }
  REQUIRE(sign.begins());
  REQUIRE(::kill(caller, SIGKILL) == 0);
  REQUIRE(::waitpid(caller, nullptr, 0) == caller);
  CHECK(sign.ends());
}

TEST_CASE_FIXTURE(fixture, "what the variables of pip name is to be seen, when it is there") {
  fs::create_directories(folder.path() / ".config/pip");
  fs::create_directories(folder.path() / "wheels");
  write_file(folder.path() / "wheels/x.whl", "");
  write_file(folder.path() / "ca.pem", "");
  const auto wheels = (folder.path() / "wheels").native();
  const auto found =
      paths_named_by({{"HOME", folder.path()},
                      {"PIP_FIND_LINKS", "file://" + wheels + "/ https://h/x relative /no/such"},
                      {"PIP_CERT", folder.path() / "ca.pem"},
                      {"SSL_CERT_DIR", "/etc/ssl/certs"},
                      {"PIP_CONFIG_FILE", "/"}});
  CHECK(found.size() - fs::exists("/etc/pip.conf") - fs::exists("/etc/xdg/pip") == 3);
  for (const auto* each : {"wheels", "ca.pem", ".config/pip"})
    CHECK(std::ranges::count(found, folder.path() / each) == 1);
}

} // namespace confine_test
