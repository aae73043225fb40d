#include "actors/supervision/process.hpp"

#include "base/file.hpp"
#include "base/testing/temporary_folder.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace process_test {

using namespace swarm::actors;
using swarm::testing::wording;

namespace {

/// A real process (supervision_playground.cpp) whose standard error is read.
class process {
public:
  explicit process(std::string mode, std::vector<std::string> more = {}) {
    std::vector<char*> variables;
    for (auto& each : more)
      variables.push_back(each.data());
    for (auto** each = environ; *each != nullptr; ++each)
      variables.push_back(*each);
    variables.push_back(nullptr);
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    std::string program = SWARM_PLAYGROUND;
    std::array<char*, 3> args{program.data(), mode.data(), nullptr};
    REQUIRE(::posix_spawn(&pid_, program.c_str(), &actions, nullptr, args.data(), variables.data()) == 0);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    errors_ = ::fdopen(ends[0], "r");
  }
  ~process() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    std::fclose(errors_);
  }
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  /// Reads lines until one has `part`; empty at the end of the stream.
  std::string line_with(std::string_view part) {
    std::array<char, 1024> buffer{};
    while (std::fgets(buffer.data(), buffer.size(), errors_)) {
      const std::string line(buffer.data());
      if (line.find(part) != std::string::npos) return line.substr(0, line.size() - 1);
    }
    return {};
  }
  void signal(int number) { ::kill(pid_, number); }
  /// The exit code, or -1 when a signal ended it.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

private:
  pid_t pid_ = 0;
  std::FILE* errors_ = nullptr;
};

/// A service manager's end of the socket.
class notices {
public:
  explicit notices(bool abstract = false) {
    name_ = abstract ? fmt::format("@swarm-notices-{}", ::getpid()) : (folder_.path() / "notify").string();
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, name_.data(), name_.size());
    if (abstract) at.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&at), size) == 0);
  }
  std::vector<std::string> environment(std::string watchdog_usec) const {
    return {"NOTIFY_SOCKET=" + name_, "WATCHDOG_USEC=" + std::move(watchdog_usec)};
  }
  /// The next one; empty when there is none within this time.
  std::string next(int milliseconds = 30'000) {
    pollfd fd{socket_.get(), POLLIN, 0};
    if (::poll(&fd, 1, milliseconds) != 1) return {};
    std::array<char, 256> text{};
    const auto size = ::recv(socket_.get(), text.data(), text.size(), 0);
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }
  std::string next_but(std::string_view other) {
    auto out = next();
    while (out == other)
      out = next();
    return out;
  }

private:
  swarm::testing::temporary_folder folder_;
  swarm::unique_fd socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  std::string name_;
};

/// The line without its date.
std::string told(const std::string& line) {
  const auto at = line.find(" : ");
  return at == std::string::npos ? line : line.substr(at + 3);
}

} // namespace

TEST_CASE("SIGTERM and SIGINT end the process in order with code 0") {
  for (const int number : {SIGTERM, SIGINT}) {
    process p("good");
    REQUIRE(!p.line_with("playing").empty());
    p.signal(number);
    CHECK(told(p.line_with("stopping"))
          == (number == SIGTERM ? "swarm.test : INFO : SIGTERM: stopping"
                                : "swarm.test : INFO : SIGINT: stopping"));
    CHECK(!p.line_with("state of a is gone").empty()); // destructors ran
    CHECK(p.wait() == exit_ok);
  }
}

TEST_CASE("SIGPIPE does not end the process") {
  process p("good");
  REQUIRE(!p.line_with("playing").empty());
  p.signal(SIGPIPE);
  p.signal(SIGTERM);
  CHECK(p.wait() == exit_ok);
}

TEST_CASE("an actor that does not stop is named, and the process ends all the same") {
  process p("stuck");
  REQUIRE(!p.line_with("playing").empty());
  p.signal(SIGTERM);
  const auto line = told(p.line_with("not stopped"));
  CHECK(line.starts_with(
      "swarm.test : ERROR : not stopped within 0.2 s, ending at once; stuck: /sl/b (in message hang "
      "for "));
  CHECK(p.wait() == exit_stuck);
}

TEST_CASE("the limit counts from the beginning of a stop, however long actors may take, also where the root "
          "hangs") {
  for (const char* mode : {"stuck-patient", "stuck-end", "stuck-all"}) {
    process p(mode);
    REQUIRE(!p.line_with("playing").empty());
    if (std::string_view(mode) != "stuck-end") p.signal(SIGTERM); // that one ends by itself
    CHECK(told(p.line_with("not stopped"))
              .starts_with("swarm.test : ERROR : not stopped within 0.2 s, ending at once; "));
    CHECK(p.wait() == exit_stuck);
  }
}

TEST_CASE("a second signal ends a stuck process at once") {
  process p("stuck-long");
  REQUIRE(!p.line_with("playing").empty());
  p.signal(SIGTERM);
  REQUIRE(!p.line_with("SIGTERM: stopping").empty());
  p.signal(SIGTERM);
  CHECK(p.wait() == 128 + SIGTERM);
}

TEST_CASE("when the root gives up there is one clear line and a code") {
  process p("give-up");
  CHECK(wording(told(p.line_with("giving up")))
        == "swarm.test : ERROR : giving up: /root: child \"sl\" failed 1 time within 10 s, 0 allowed; last "
           "error: /sl: "
           "child \"b\" failed 1 time within 10 s, 0 allowed; last error: nothing to play with");
  CHECK(p.wait() == exit_gave_up);
}

TEST_CASE("a role that has done its work ends the process with its code") {
  process p("end-role");
  CHECK(told(p.line_with("/sl has ended")) == "swarm.test : INFO : /sl has ended: training over");
  CHECK(p.wait() == 0);
}

TEST_CASE("a service manager is told of the start, the stop, and meanwhile that the process lives") {
  for (const bool abstract : {false, true}) {
    notices told_to(abstract);
    process p("good", told_to.environment("20000"));
    CHECK(told_to.next_but("WATCHDOG=1") == "READY=1");
    for (int i = 0; i < 3; ++i)
      CHECK(told_to.next() == "WATCHDOG=1");
    p.signal(SIGTERM);
    CHECK(told_to.next_but("WATCHDOG=1") == "STOPPING=1");
    CHECK(p.wait() == exit_ok);
  }
}

TEST_CASE("without a watchdog nobody is told of signs of life") {
  for (const char* usec : {"0", "x", "-5", "1000000x"}) {
    notices told_to;
    process p("good", told_to.environment(usec));
    CHECK(told_to.next() == "READY=1");
    p.signal(SIGTERM);
    CHECK(told_to.next() == "STOPPING=1");
    CHECK(p.wait() == exit_ok);
  }
}

TEST_CASE("a process whose actors all hang shows no sign of life") {
  notices told_to;
  process p("stuck-all", told_to.environment("20000"));
  REQUIRE(!p.line_with("playing").empty());
  while (!told_to.next(0).empty()) {
  }
  CHECK(told_to.next(300) == "");
}

TEST_CASE("an exception at the top becomes one line") {
  process p("throw");
  CHECK(p.line_with("playground") == "playground: nothing works");
  CHECK(p.wait() == exit_gave_up);
}

} // namespace process_test
