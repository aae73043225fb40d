#include "actors/swop/managers/process/build/child.hpp"

#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>

#include <csignal>

namespace child_test {

using namespace swarm;
using namespace swarm::build;
using namespace std::chrono_literals;

namespace {

struct fixture {
  child_limits limits{.deadline = std::chrono::steady_clock::now() + transport::test::patience,
                      .grace = 200ms};
  std::vector<std::string> lines;

  result<child_end> run(std::string script, const std::stop_token& stop = {},
                        const std::function<void(std::string_view)>& more = {}) {
    return run_child({{"sh", "-c", std::move(script)}, {{"PATH", "/usr/bin:/bin"}, {"A", "1 2"}}, "/usr", {}},
                     limits, stop, [&](std::string_view line) {
                       lines.emplace_back(line);
                       if (more) more(line);
                     });
  }
};

/// True once no process with this number is left.
bool is_gone(const std::string& pid) {
  return transport::test::eventually([&] { return ::kill(std::stoi(pid), 0) != 0; });
}

} // namespace

TEST_CASE_FIXTURE(fixture, "output by lines, exit code, folder, and no environment but the given one") {
  ::setenv("SWARM_NOT_FOR_CHILDREN", "1", 1);
  const auto end = run("pwd; echo \"$A$SWARM_NOT_FOR_CHILDREN\" >&2; printf 'a\\rb\\n\\nlast\\033'; exit 3");
  REQUIRE(end);
  CHECK(end->exit_code == 3);
  CHECK(lines == std::vector<std::string>{"/usr", "1 2", "a", "b", "last "});
  CHECK(end->last_line == "last ");
}

TEST_CASE_FIXTURE(fixture, "a line without an end has one") {
  const auto end = run("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo next");
  REQUIRE(end);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].size() == 4096);
}

TEST_CASE_FIXTURE(fixture, "killed, and not there") {
  CHECK(run("kill -9 $$")->exit_code == 137);
  const auto missing = run_child({{"no-such-program"}, {}, "/", {}}, limits, {}, {});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().is(child_errc::not_started));
}

TEST_CASE_FIXTURE(fixture, "what it leaves in the background ends with it") {
  const auto end = run("sleep 1000 & echo $!");
  REQUIRE(end);
  CHECK(is_gone(lines.at(0)));
}

TEST_CASE_FIXTURE(fixture, "a stop ends all of it, also what does not listen") {
  std::stop_source stop;
  const auto end = run("trap '' TERM; sleep 1000 & echo $!; wait; sleep 1000", stop.get_token(),
                       [&](std::string_view) { stop.request_stop(); });
  REQUIRE_FALSE(end);
  CHECK(end.error().is(child_errc::stopped));
  CHECK(is_gone(lines.at(0)));
}

TEST_CASE_FIXTURE(fixture, "the deadline holds") {
  limits.deadline = std::chrono::steady_clock::now() + 200ms;
  const auto end = run("sleep 1000");
  REQUIRE_FALSE(end);
  CHECK(end.error().is(child_errc::out_of_time));
}

} // namespace child_test
