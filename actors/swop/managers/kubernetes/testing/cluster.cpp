#include "actors/swop/managers/kubernetes/testing/cluster.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace swarm::kubernetes::testing {

namespace {

const char* const launcher = SWARM_SOURCE_DIR "/tests/launcher/cluster.py";

/// The one that has `kubernetes-validate`, where it is there.
const char* python() {
  constexpr const char* own = SWARM_SOURCE_DIR "/.venv/bin/python";
  return ::access(own, X_OK) == 0 ? own : "/usr/bin/python3";
}

} // namespace

bool cluster::is_there() {
  static const bool known = [] {
    const bool out = std::system("bwrap --unshare-user --ro-bind / / true 2>/dev/null") == 0;
    if (!out) MESSAGE("not tried: no sandboxes on this host, in which a cluster's containers would run");
    return out;
  }();
  return known;
}

cluster::cluster() {
  std::array<int, 2> to{}, from{};
  REQUIRE(::pipe2(to.data(), O_CLOEXEC) == 0);
  REQUIRE(::pipe2(from.data(), O_CLOEXEC) == 0);
  const auto folder = folder_.path().string();
  helper_ = ::fork();
  if (helper_ == 0) {
    ::dup2(to[0], 0);
    ::dup2(from[1], 1);
    ::execl(python(), "python3", launcher, folder.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  to_ = ::fdopen(to[1], "w");
  from_ = ::fdopen(from[0], "r");
  const auto found = find_api({.server = read_line(),
                               .token_file = folder_ / "token",
                               .ca_file = folder_ / "ca.crt",
                               .name_space = "swarm"});
  REQUIRE(found);
  place_ = *found;
}

cluster::~cluster() {
  std::fclose(to_);
  int status = 0;
  ::waitpid(helper_, &status, 0);
  std::fclose(from_);
}

std::string cluster::tell(const std::string& line) {
  std::fputs((line + "\n").c_str(), to_);
  std::fflush(to_);
  return read_line();
}

std::string cluster::read_line() {
  std::array<char, 300> line{};
  REQUIRE(std::fgets(line.data(), line.size(), from_));
  std::string out(line.data());
  REQUIRE(out.ends_with('\n'));
  out.pop_back();
  return out;
}

} // namespace swarm::kubernetes::testing
