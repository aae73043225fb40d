#include "actors/swop/task/testing/task_bench.hpp"

namespace task_trouble_test {

using namespace swarm;
using namespace swarm::swop;
using namespace swarm::swop::testing;

TEST_CASE("adopted pairs are asked where they stand") {
  host on(1);
  on.programs[{0, program_kind::sl}] = {0, program_kind::sl, 0, {}};
  on.programs[{0, program_kind::ml}] = {0, program_kind::ml, 0, {}};
  on.says(0, session_state::open, task_step::training, 5);
  on.views[0].sl[0] = 7; // as its former life has told
  on.begin();
  on.prepared();
  on.pass(10s);
  CHECK(on.views[0].step == task_step::training);
  CHECK(on.views[0].number == 5);
  CHECK(!on.views[0].sl.is_zero());
}

TEST_CASE("a pair whose program was told to end is never complete") {
  host on(1);
  on.programs[{0, program_kind::sl}] = {0, program_kind::sl, 4, failure{}};
  on.programs[{0, program_kind::ml}] = {0, program_kind::ml, 5, failure{task_failure::swop_stopped, 0}};
  on.begin(); // the SWOP that told it was killed before it could say so
  on.prepared();
  CHECK(on.views[0].failure == task_failure::swop_stopped);
}

TEST_CASE("an SL that ends before there is anybody to train with it fails its pair") {
  host on(1);
  on.programs[{0, program_kind::sl}] = {0, program_kind::sl, 4, failure{}};
  on.begin();
  on.prepared();
  CHECK(on.started.empty());
  CHECK(on.views[0].failure == task_failure::sl_exited);
}

TEST_CASE("what has ended for the contract is not started again") {
  host on(2);
  on.views[0].status = part_status::failed;
  on.views[0].failure = task_failure::processes_lost;
  on.machine.step(event::programs_seen{}, on.now);
  on.machine.begin(on.now);
  on.settle();
  on.prepared();
  CHECK(on.started.empty()); // nothing, before the contract was heard
  on.read();
  CHECK(on.started == std::vector<host::key>{{1, program_kind::sl}, {1, program_kind::ml}});
}

TEST_CASE("a report that is refused for good is repeated less and less, and keeps no other one back") {
  host on(2);
  on.begin();
  on.prepared();
  on.refused = 0;
  on.says(0, session_state::none);
  on.says(1, session_state::none);
  on.ends(0, program_kind::ml, exited(1));
  on.ends(1, program_kind::ml);
  const auto before = on.reports.size();
  on.pass(10min);
  CHECK(on.views[1].status == part_status::complete);
  CHECK(on.reports.size() - before <= 20);
  on.refused.reset();
  on.pass(task_machine::report_interval_max);
  CHECK(on.views[0].failure == task_failure::program_exited);
}

TEST_CASE("an SL that the network does not know hides nothing of its pair") {
  host on(1);
  on.begin();
  on.knows_no_sl = true;
  on.says(0, session_state::open, task_step::training, 3);
  on.sessions[0].sl[0] = 9;
  on.prepared();
  on.pass(20s);
  CHECK(on.views[0].step == task_step::training);
  on.says(0, session_state::none);
  on.sessions[0].sl[0] = 9;
  on.ends(0, program_kind::ml);
  on.pass(20s);
  CHECK(on.views[0].status == part_status::complete);
}

TEST_CASE("a report whose receipt never comes is made again") {
  host on(1);
  on.begin();
  on.prepared();
  on.pass(5s);
  on.silent = true;
  on.ends(0, program_kind::ml, exited(1));
  CHECK(on.views[0].status == part_status::active);
  on.silent = false;
  on.pass(task_machine::report_max + 5s);
  CHECK(on.views[0].status == part_status::failed);
}

TEST_CASE("the progress of every pair is told, not only that of the first") {
  host on(4);
  on.begin();
  on.prepared();
  for (std::uint64_t round = 1; round <= 60; ++round) {
    for (std::uint32_t i = 0; i < 4; ++i)
      on.says(i, session_state::open, task_step::training, round);
    on.pass(1s);
  }
  for (const auto& each : on.views)
    CHECK(each.number >= 45);
}

TEST_CASE("a program that goes on after it was told to end is told again") {
  host on(1);
  on.begin();
  on.prepared();
  on.stubborn = true;
  on.stop();
  CHECK(on.told_to_end.size() == 2);
  on.stubborn = false;
  on.pass(pair_life::end_again);
  CHECK(on.told_to_end.size() == 4);
  CHECK(on.finished == 1);
  on.stop(); // by a runner that has not heard it
  CHECK(on.finished == 2);
}

TEST_CASE("a part that is being prepared wants to be woken for nothing") {
  host on(1);
  on.programs[{0, program_kind::sl}] = {0, program_kind::sl, 0, {}};
  on.programs[{0, program_kind::ml}] = {0, program_kind::ml, 5, failure{}};
  on.begin();
  CHECK(on.machine.wake_at() > on.now);
}

} // namespace task_trouble_test
