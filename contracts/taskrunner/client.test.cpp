#include "contracts/taskrunner/client.hpp"

#include "base/hash.hpp"

#include <doctest/doctest.h>

#include <set>

namespace taskrunner_client_test {

using namespace swarm;
using namespace swarm::contracts;

namespace {

/// The words of all values of an enumeration, each of which has its own.
template <class Code>
std::set<std::string_view> all_words() {
  std::set<std::string_view> out;
  for (unsigned i = 0; i <= static_cast<unsigned>(last_value(Code{})); ++i) {
    const auto words = to_string(static_cast<Code>(i));
    CHECK(!words.empty());
    CHECK(out.insert(words).second);
  }
  return out;
}

} // namespace

TEST_CASE("a taskrunner is where the interface says") {
  const auto hash = keccak256("swarmd/taskrunner/defaulttaskbb.taskdb.sml.hpe");
  CHECK(to_hex(taskrunner_address(default_taskrunner_name).view(), false)
        == to_hex(hash.view(), false).substr(24));
  CHECK(taskrunner_address("a") != taskrunner_address("b"));
}

TEST_CASE("every code has words of its own") {
  CHECK(all_words<taskrunner_state>()
        == std::set<std::string_view>{"IDLE", "ENROLLING", "RUNNING", "COMPLETE", "ERROR"});
  CHECK(all_words<assign_mode>() == std::set<std::string_view>{"WITH PEERS", "WITH ALL PEERS", "TARGET"});
  CHECK(all_words<part_status>()
        == std::set<std::string_view>{"NONE", "INVITED", "ACTIVE", "COMPLETE", "FAILED"});
  CHECK(all_words<task_step>().contains("waiting for peers"));
  CHECK(all_words<task_failure>().contains("the download failed"));
  // The numbers are those of the interface.
  CHECK(to_string(static_cast<task_step>(11)) == "training");
  CHECK(number_word(task_step::training) == "round");
  CHECK(number_word(task_step::extracting).empty());
  CHECK(to_string(static_cast<task_failure>(14)) == "the download failed");
  CHECK(number_word(task_failure::program_exited, 1) == "exit code");
  CHECK(number_word(task_failure::none, 0).empty());
  CHECK(number_word(task_failure::download_failed, 404) == "HTTP status");
  CHECK(number_word(task_failure::download_failed, 7) == "curl code");
  CHECK(to_string(static_cast<task_failure>(24)) == "the SWOP listens no longer");
}

TEST_CASE("answers and events with values no contract gives are refused") {
  CHECK(!decode_answer<taskrunner_head_args>({}));
  CHECK(!decode_answer<taskrunner_head_for_args>(bytes(32)));
  CHECK(!decode_answer<pairs_args>(bytes(64, 0xff)));
  CHECK(decode_taskrunner_event({keccak256("Other()")}, {}).error().is(errc::not_found));
  auto state = bytes(32);
  state[31] = 5;
  CHECK(!decode_taskrunner_event({event_topic<taskrunner_state_changed>(), hash32{}}, state));
  state[31] = 4;
  CHECK(decode_taskrunner_event({event_topic<taskrunner_state_changed>(), hash32{}}, state).value()
        == taskrunner_event{taskrunner_state_changed{0, taskrunner_state::error}});
}

} // namespace taskrunner_client_test
