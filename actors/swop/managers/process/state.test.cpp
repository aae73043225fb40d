#include "actors/swop/managers/process/state.hpp"

#include "base/random.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace process_state_test {

using namespace swarm;
using namespace swarm::managers;

namespace {

shim_state base() {
  shim_state out;
  out.boot = "0f8fad5b-d9cb-469f-a165-70867728950e";
  out.shim = {4711, 123456789};
  return out;
}

std::vector<shim_state> all_phases() {
  std::vector<shim_state> out(5, base());
  out[1].phase = shim_state::running{{4713, 123456790}, 1'700'000'000'000};
  out[1].cgroup = cgroup_id{"/sys/fs/cgroup/swop-p-4711", 77};
  out[2].phase = shim_state::ended{1, 2, {.cause = ending_cause::itself, .exit_code = 0}};
  out[3].phase = shim_state::ended{1, 2, {.cause = ending_cause::out_of_memory, .signal = 9}};
  out[4].phase = shim_state::ended{0, 2, {.cause = ending_cause::not_started, .message = "bwrap: \"no\"\n"}};
  return out;
}

} // namespace

TEST_CASE("what is written can be read") {
  for (const auto& state : all_phases()) {
    const auto back = read_state(write_state(state));
    REQUIRE_MESSAGE(back, back.error().message);
    CHECK(*back == state);
  }
}

TEST_CASE("every cause has a word of its own") {
  for (int i = 0; i <= static_cast<int>(ending_cause::lost); ++i) {
    auto state = base();
    state.phase = shim_state::ended{1, 2, {.cause = static_cast<ending_cause>(i)}};
    const auto back = read_state(write_state(state));
    REQUIRE(back);
    CHECK(*back == state);
  }
}

TEST_CASE("half of a state, another version's, or nonsense is no state") {
  for (const auto& state : all_phases()) {
    const auto text = write_state(state);
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
      const auto read = read_state(std::string_view(text).substr(0, cut));
      REQUIRE_FALSE(read);
      CHECK(read.error().is(errc::corrupt));
    }
    auto other = text;
    other.replace(other.find("\"version\":1"), 11, "\"version\":2");
    CHECK_FALSE(read_state(other));
    seeded_random random(2);
    for (int i = 0; i < 2000; ++i) {
      auto spoilt = text;
      spoilt[random.below(spoilt.size())] = static_cast<char>(random.below(256));
      if (const auto read = read_state(spoilt)) CHECK(read_state(write_state(*read)));
    }
  }
  CHECK_FALSE(read_state(std::string(state_bytes_max + 1, ' ')));
  CHECK_FALSE(read_state(R"({"version":1,"boot":"b","shim":{"pid":1,"start":1},"phase":"running"})"));
  CHECK_FALSE(
      read_state(R"({"version":1,"boot":"b","shim":{"pid":1,"start":1},"phase":"ended","started_ms":0,)"
                 R"("ended_ms":0,"how":{"cause":"itself","message":"","exit_code":256}})"));
}

TEST_CASE("a process is known by number and start, and its descriptor is not another's") {
  const auto self = process_of(::getpid());
  REQUIRE(self);
  CHECK(open_process(*self));
  CHECK_FALSE(open_process({self->pid, self->start + 1})); // the number of a process that started later
  CHECK_FALSE(open_process({0, 0}));
  CHECK_FALSE(open_process({-1, 0}));
  const auto child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const auto id = process_of(child);
  REQUIRE(id);
  const auto opened = open_process(*id);
  REQUIRE(opened);
  CHECK_FALSE(has_ended(*opened));
  CHECK(send_signal(*opened, SIGKILL));
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(has_ended(*opened));
  CHECK_FALSE(send_signal(*opened, SIGKILL)); // whoever has its number now
  CHECK_FALSE(open_process(*id));
  CHECK(boot_id().size() == 36);
}

} // namespace process_state_test
