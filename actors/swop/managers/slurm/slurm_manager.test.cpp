#include "actors/swop/managers/slurm/slurm_manager.hpp"

#include "actors/swop/managers/slurm/testing/slurm_room.hpp"
#include "actors/swop/managers/testing/life_suite.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

namespace slurm_manager_test {

// What every manager promises, and what is Slurm's own, with a real one.

namespace fs = std::filesystem;
using namespace swarm::managers;
using namespace swarm::managers::testing;
using std::chrono::milliseconds;

namespace {

void in_a_room(void (*test)(manager_room&)) {
  if (!slurm_room::has_slurm()) return;
  slurm_room room;
  test(room);
}

std::string jobs_of(const slurm_room& room, std::string_view state) {
  return slurm_room::said_by(fmt::format("squeue --noheader --states={} --format=%j | grep -c {}", state,
                                         room.where().filename().native()));
}

} // namespace

TEST_CASE("with a Slurm, programs live as with every manager") {
  if (std::getenv("SWARM_SLURM") == nullptr) return; // by hand: it takes half a minute
  in_a_room(says_with_what_a_program_ended);
  in_a_room(has_one_program_of_each_name);
  in_a_room(leaves_nothing_of_what_cannot_be_started);
  in_a_room(stops_by_asking_and_then_by_force);
  in_a_room(is_outlived_by_its_programs);
  in_a_room(ends_programs_at_their_deadline);
  in_a_room(keeps_what_was_written_last);
  in_a_room(mounts_what_exists_and_may_be_seen);
}

TEST_CASE("with a Slurm, a pair is in one job, and its pipes are on the node's own disk") {
  if (!slurm_room::has_slurm()) return;
  slurm_room room;
  CHECK(room.manager().check());
  const auto with_pipes = [&](std::string command, std::string name) {
    auto spec = room.shell(std::move(command), std::move(name));
    spec.mounts = {{(room.channels() / "one" / "channel").string(), "/tmp/hpe-swarm", true}};
    spec.argv.emplace_back(node_address_word);
    return spec;
  };
  REQUIRE(room.manager().start(
      with_pipes("mkfifo /tmp/hpe-swarm/p && echo $0 && read x </tmp/hpe-swarm/p; echo $x", "a.sl")));
  REQUIRE(room.manager().start(with_pipes(
      "while ! test -p /tmp/hpe-swarm/p; do sleep 0.05; done; echo hello >/tmp/hpe-swarm/p", "a.ml")));
  CHECK(room.wait("a.ml").how->exit_code == 0);
  CHECK(room.wait("a.sl").how->exit_code == 0);
  const auto said = room.output("a.sl");
  REQUIRE(said.size() == 2);
  CHECK(said[0].find_first_not_of("0123456789.") == std::string::npos); // the node's address
  CHECK(said[1] == "hello");
  CHECK(fs::is_empty(room.channels() / "one" / "channel"));
  CHECK(jobs_of(room, "all") == "1\n");
  for (const char* each : {"a.sl", "a.ml"})
    REQUIRE(room.manager().remove(each));
  CHECK(eventually([&] { return jobs_of(room, "running,completing") == "0\n"; }));
  CHECK(eventually([&] { return fs::is_empty(room.where() / "programs" / "allocations@"); }));
}

TEST_CASE("with a Slurm, a job that somebody ends makes its programs lost, and no other job is touched") {
  if (!slurm_room::has_slurm()) return;
  slurm_room room;
  slurm_room::said_by("sbatch --job-name=others --output=/dev/null --wrap 'sleep 600'");
  REQUIRE(room.manager().start(room.shell("echo up; while :; do sleep 1; done", "a.sl")));
  room.wait_for_line("up", "a.sl");
  CHECK(room.manager().programs().size() == 1);
  slurm_room::said_by(
      "scancel --signal=KILL --full $(squeue --noheader --format='%i %j' | awk '/swarm-/ { print $1 }')");
  const auto ended = room.wait("a.sl");
  CHECK(ended.how->cause == ending_cause::lost);
  REQUIRE(room.manager().remove("a.sl"));
  REQUIRE(room.manager().start(room.shell("while :; do sleep 1; done", "b.sl")));
  REQUIRE(room.manager().stop("b.sl", milliseconds(0)));
  CHECK(room.wait("b.sl").how->cause == ending_cause::told);
  CHECK(slurm_room::said_by("squeue --noheader --states=running --name=others --format=%T") == "RUNNING\n");
  slurm_room::said_by("scancel --name=others");
}

TEST_CASE("with a Slurm, a program whose job waits is starting, and can be stopped") {
  if (!slurm_room::has_slurm()) return;
  slurm_room::said_by("scontrol update PartitionName=all State=DOWN");
  {
    slurm_room room;
    room.patience(milliseconds(500));
    REQUIRE(room.manager().start(room.shell("true", "a.sl")));
    CHECK(room.manager().look("a.sl")->phase == program_phase::starting);
    CHECK(room.manager().remove("a.sl").error().is(manager_errc::still_running));
    REQUIRE(room.manager().stop("a.sl", milliseconds(0)));
    CHECK(room.wait("a.sl").how->cause == ending_cause::told);
    CHECK(room.manager().remove("a.sl"));
  }
  slurm_room::said_by("scontrol update PartitionName=all State=UP");
}

} // namespace slurm_manager_test
