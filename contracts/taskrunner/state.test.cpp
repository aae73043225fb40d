#include "contracts/taskrunner/state.hpp"

#include "contracts/task/records.hpp"

#include <doctest/doctest.h>

namespace taskrunner_state_test {

using namespace swarm;
using namespace swarm::contracts;

namespace {

template <class T>
std::string packed(const T& value) {
  return to_hex(pack(value).view(), false);
}
address filled(std::uint8_t byte) {
  address out;
  out.fill(byte);
  return out;
}

} // namespace

// The state of every chain holds these words: moving a member of one of these structs changes the chain.
TEST_CASE("slots of tasks and taskrunners are packed as every chain has them") {
  CHECK(packed(task_slot{filled(0xaa), task_type::pull_image, true, 0x0102, 3, 4})
        == "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa040101020000000300000004");
  CHECK(packed(task_blocks_slot{1, 2}) == "0000000000000001000000000000000200000000000000000000000000000000");
  CHECK(packed(runner_slot{1, taskrunner_state::error, assign_mode::target, task_type::run_swarm, 5, 6, 7})
        == "0000000000000001040201000000050000000000000006000000000000000700");
  CHECK(packed(run_counts_slot{1, 2, 3, 4, 5, 6, 7, 8})
        == "0001000000020003000000040000000500000006000000070000000800000000");
  CHECK(packed(run_times_slot{1, 2, 3, 4})
        == "0000000000000001000000000000000200000000000000030000000000000004");
  CHECK(packed(listener_slot{1, 2}) == "0000000100000002000000000000000000000000000000000000000000000000");
  CHECK(packed(swop_slot{filled(0xbb), part_status::failed, task_step::ended, task_failure::left, 4, 5, 6, 7})
        == "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb040e18040506000000070000");
  CHECK(packed(pair_slot{filled(0xcc), part_status::active, task_step::training, task_failure::none})
        == "cccccccccccccccccccccccccccccccccccccccc020b00000000000000000000");
  CHECK(packed(step_slot{1, 2, 3}) == "0000000000000001000000000000000200000000000000030000000000000000");
}

} // namespace taskrunner_state_test
