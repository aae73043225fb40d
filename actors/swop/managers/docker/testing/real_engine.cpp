#include "actors/swop/managers/docker/testing/real_engine.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <map>

namespace swarm::engine::testing {

namespace {

const char* const launcher = SWARM_SOURCE_DIR "/tests/launcher/engines.py";

} // namespace

bool real_engine::is_there(const std::string& kind) {
  static std::map<std::string, bool> known;
  const auto [at, is_new] = known.try_emplace(kind, false);
  if (!is_new) return at->second;
  const auto command = std::string("/usr/bin/python3 ") + launcher + " check " + kind + " 2>&1";
  std::FILE* const asked = ::popen(command.c_str(), "r");
  REQUIRE(asked);
  std::array<char, 300> line{};
  const auto size = std::fread(line.data(), 1, line.size() - 1, asked);
  at->second = ::pclose(asked) == 0;
  if (!at->second) MESSAGE("not tried: ", std::string(line.data(), size));
  return at->second;
}

real_engine::real_engine(const std::string& kind) : kind_(kind) {
  std::array<int, 2> to{}, from{};
  REQUIRE(::pipe2(to.data(), O_CLOEXEC) == 0);
  REQUIRE(::pipe2(from.data(), O_CLOEXEC) == 0);
  const auto folder = folder_.path().string();
  helper_ = ::fork();
  if (helper_ == 0) {
    ::dup2(to[0], 0);
    ::dup2(from[1], 1);
    ::execl("/usr/bin/python3", "python3", launcher, kind.c_str(), folder.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  to_ = ::fdopen(to[1], "w");
  from_ = ::fdopen(from[0], "r");
  socket_ = read_line();
  image_ = read_line();
}

real_engine::~real_engine() {
  std::fclose(to_);
  int status = 0;
  ::waitpid(helper_, &status, 0);
  std::fclose(from_);
  if (status != 0) std::fprintf(stderr, "%s: something of it is left\n", kind_.c_str());
}

void real_engine::tell(const std::string& word) {
  std::fputs((word + "\n").c_str(), to_);
  std::fflush(to_);
  REQUIRE(read_line() == "done");
}

std::string real_engine::read_line() {
  std::array<char, 300> line{};
  REQUIRE(std::fgets(line.data(), line.size(), from_));
  std::string out(line.data());
  REQUIRE(out.ends_with('\n'));
  out.pop_back();
  return out;
}

} // namespace swarm::engine::testing
