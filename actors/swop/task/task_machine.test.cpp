#include "actors/swop/task/testing/task_bench.hpp"
#include "base/random.hpp"

namespace task_machine_test {

using namespace swarm;
using namespace swarm::swop;
using namespace swarm::swop::testing;

TEST_CASE("pairs are started SL first, report their rounds, and are complete when both programs have ended") {
  host on(2);
  on.begin();
  CHECK(on.prepares == 1);
  CHECK(on.started.empty());
  CHECK(on.part.step == task_step::preparing_volumes);
  on.says(0, session_state::none);
  on.prepared();
  CHECK(on.started
        == std::vector<host::key>{
            {0, program_kind::sl}, {1, program_kind::sl}, {0, program_kind::ml}, {1, program_kind::ml}});
  on.says(0, session_state::open, task_step::training, 7);
  on.pass(5s);
  CHECK(on.views[0].step == task_step::training);
  CHECK(on.views[0].number == 7);
  CHECK(on.views[1].step == task_step::waiting_for_session);
  on.says(0, session_state::serving);
  on.ends(0, program_kind::ml);
  CHECK(on.running(0, program_kind::sl)); // others need its files
  on.pass(60s);
  CHECK(on.running(0, program_kind::sl));
  on.says(0, session_state::none);
  on.pass(2s);
  CHECK(!on.running(0, program_kind::sl));
  CHECK(on.views[0].status == part_status::complete);
  CHECK(on.running(1, program_kind::ml));
  on.says(1, session_state::none);
  on.ends(1, program_kind::ml);
  CHECK(on.part.status == part_status::complete);
  CHECK(on.finished == 0); // it stays until the run is reset
  on.stop();
  CHECK(on.finished == 1);
}

TEST_CASE("a program that exits without a session ends its pair") {
  host on(1);
  on.begin();
  on.prepared();
  on.says(0, session_state::none);
  SUBCASE("well") {
    on.ends(0, program_kind::ml);
    CHECK(on.views[0].status == part_status::complete);
    CHECK(!on.running(0, program_kind::sl));
  }
  SUBCASE("with an exit code") {
    on.ends(0, program_kind::ml, exited(3));
    CHECK(on.views[0].status == part_status::failed);
    CHECK(on.views[0].failure == task_failure::program_exited);
    CHECK(on.views[0].number == 3);
    CHECK(!on.running(0, program_kind::sl));
  }
}

TEST_CASE("an SL that is done before its program leaves it the time that it needs") {
  host on(1);
  on.begin();
  on.prepared();
  on.says(0, session_state::open, task_step::training, 3);
  on.pass(3s);
  on.ends(0, program_kind::sl);
  on.pass(1h);
  CHECK(on.running(0, program_kind::ml));
  CHECK(on.views[0].step == task_step::waiting_for_end);
  on.ends(0, program_kind::ml);
  CHECK(on.views[0].status == part_status::complete);
}

TEST_CASE("an SL that says nothing after the end of its program is ended") {
  host on(1);
  on.begin();
  on.prepared();
  on.ends(0, program_kind::ml);
  on.pass(pair_life::silent_max - 1s);
  CHECK(on.running(0, program_kind::sl));
  on.pass(2s);
  CHECK(!on.running(0, program_kind::sl));
  CHECK(on.views[0].status == part_status::complete);
}

TEST_CASE("the one that failed first is the reason") {
  host on(1);
  on.begin();
  on.prepared();
  SUBCASE("the SL, and its program falls over that") {
    on.programs.at({0, program_kind::ml}).outcome = exited(1);
    on.programs.at({0, program_kind::ml}).ended_ms = 20;
    on.programs.at({0, program_kind::sl}).outcome = failure{task_failure::sl_exited, 9};
    on.programs.at({0, program_kind::sl}).ended_ms = 10;
    on.list();
    CHECK(on.views[0].failure == task_failure::sl_exited);
  }
  SUBCASE("the program") {
    on.ends(0, program_kind::ml, {task_failure::out_of_memory, 0});
    CHECK(on.views[0].failure == task_failure::out_of_memory);
  }
}

TEST_CASE("what cannot be started fails its pair alone") {
  host on(2);
  on.cannot_start[{0, program_kind::ml}] = {task_failure::path_missing, 0};
  on.begin();
  on.prepared();
  CHECK(on.views[0].failure == task_failure::path_missing);
  CHECK(!on.running(0, program_kind::sl));
  CHECK(on.running(1, program_kind::ml));
}

TEST_CASE("what cannot be prepared starts nothing") {
  host on(2);
  on.begin();
  on.prepared({task_failure::prerequisite_missing, 0});
  CHECK(on.started.empty());
  CHECK(on.views[0].failure == task_failure::prerequisite_missing);
  CHECK(on.views[1].failure == task_failure::prerequisite_missing);
}

TEST_CASE("programs that a killed SWOP left running are adopted") {
  host on(2);
  on.programs[{0, program_kind::sl}] = {0, program_kind::sl, 0, {}};
  on.programs[{0, program_kind::ml}] = {0, program_kind::ml, 0, {}};
  on.programs[{1, program_kind::sl}] = {1, program_kind::sl, 5, failure{task_failure::processes_lost, 0}};
  on.programs[{1, program_kind::ml}] = {1, program_kind::ml, 4, exited(2)};
  on.begin();
  on.prepared();
  CHECK(on.started.empty());
  CHECK(on.views[0].status == part_status::active);
  CHECK(on.views[1].failure == task_failure::program_exited);
  on.programs.erase({0, program_kind::ml});
  on.list();
  CHECK(on.views[0].failure == task_failure::processes_lost);
}

TEST_CASE("a run that is over ends everything without a word") {
  host on(2);
  on.begin();
  on.prepared();
  const auto said = on.reports.size();
  SUBCASE("programs that do as they are told") {
    on.stop();
    CHECK(on.finished == 1);
  }
  SUBCASE("programs that take their time") {
    on.stubborn = true;
    on.stop();
    CHECK(on.told_to_end.size() == 4);
    CHECK(on.finished == 0);
    for (auto& [name, fact] : on.programs)
      fact.outcome = failure{};
    on.list();
    CHECK(on.finished == 1);
  }
  CHECK(on.reports.size() == said);
}

TEST_CASE("a SWOP that stops says so of each pair before it goes") {
  host on(2);
  on.begin();
  on.prepared();
  on.stop({task_failure::swop_stopped, 0});
  CHECK(on.views[0].failure == task_failure::swop_stopped);
  CHECK(on.views[1].failure == task_failure::swop_stopped);
  CHECK(on.finished == 1);
}

TEST_CASE("work is done once, tells its steps, and how it ended") {
  host on(0, contracts::task_type::make_user_container);
  on.begin();
  on.prepared();
  CHECK(on.works == 1);
  on.machine.step(event::work_going{task_step::building, 3}, on.now);
  on.settle();
  on.pass(3s);
  CHECK(on.part.step == task_step::building);
  CHECK(on.part.number == 3);
  SUBCASE("well") {
    on.machine.step(event::work_ended{}, on.now);
    on.settle();
    CHECK(on.part.status == part_status::complete);
  }
  SUBCASE("badly") {
    on.machine.step(event::work_ended{{task_failure::build_failed, 3}}, on.now);
    on.settle();
    CHECK(on.part.status == part_status::failed);
    CHECK(on.part.failure == task_failure::build_failed);
    CHECK(on.part.number == 3);
  }
  SUBCASE("not at all: the run is over") {
    on.stop();
    CHECK(on.work_ends == 1);
    CHECK(on.finished == 0);
    on.machine.step(event::work_ended{{task_failure::swop_stopped, 0}}, on.now);
    on.settle();
    CHECK(on.finished == 1);
    CHECK(on.part.status == part_status::active);
  }
}

TEST_CASE("progress is told every other second, however fast it comes") {
  host on(1);
  on.begin();
  on.prepared();
  const auto before = on.reports.size();
  for (std::uint64_t round = 1; round <= 100; ++round) {
    on.says(0, session_state::open, task_step::training, round);
    on.pass(100ms);
  }
  CHECK(on.reports.size() - before <= 7);
  CHECK(on.views[0].number >= 70);
}

TEST_CASE("whatever happens in whatever order: a stopped part ends, and says what was so") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    seeded_random random(seed);
    host on(static_cast<std::uint32_t>(1 + random.below(3)));
    on.begin();
    if (random.below(4) > 0) on.prepared(random.below(10) == 0 ? exited(1) : failure{});
    for (int i = 0; i < 60; ++i) {
      const auto index = static_cast<std::uint32_t>(random.below(4));
      const auto kind = random.below(2) == 0 ? program_kind::sl : program_kind::ml;
      switch (random.below(8)) {
      case 0:
        if (on.running(index, kind)) on.ends(index, kind, random.below(2) == 0 ? exited(1) : failure{});
        break;
      case 1:
        if (on.programs.erase({index, kind}) > 0) on.list();
        break;
      case 2:
        on.says(index, static_cast<session_state>(random.below(4)), task_step::training, random.below(9));
        break;
      case 3:
        on.deaf = random.below(3) == 0;
        on.read();
        break;
      case 4:
        on.machine.step(event::prepared{}, on.now);
        on.settle();
        break;
      default:
        on.pass(std::chrono::milliseconds(random.below(5000)));
      }
    }
    on.deaf = false;
    on.read();
    on.stop(random.below(2) == 0 ? failure{} : failure{task_failure::swop_stopped, 0});
    on.pass(1min);
    CHECK(on.finished == 1);
    for (const auto& [name, fact] : on.programs)
      CHECK(fact.outcome.has_value());
  }
}

} // namespace task_machine_test
