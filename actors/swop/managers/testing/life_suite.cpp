#include "actors/swop/managers/testing/life_suite.hpp"

#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <fstream>

namespace swarm::managers::testing {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using swarm::testing::wording;

namespace {

constexpr milliseconds soon{200};

} // namespace

void says_with_what_a_program_ended(manager_room& room) {
  const auto good = room.run(room.shell("echo out; echo err >&2; exit 7"));
  CHECK(good.how->cause == ending_cause::itself);
  CHECK(good.how->exit_code == 7);
  CHECK(!good.how->signal);
  CHECK(good.started_ms > 0);
  CHECK(good.ended_ms >= good.started_ms);
  auto said = room.output();
  std::ranges::sort(said); // two outputs may come in either order
  CHECK(said == std::vector<std::string>{"err", "out"});
  CHECK(room.manager().programs().size() == 1);
  CHECK(room.manager().programs().front() == good);
  CHECK(room.run(room.shell("true", "q")).how->exit_code == 0);
  CHECK(room.manager().programs().size() == 2);
}

void has_one_program_of_each_name(manager_room& room) {
  room.run(room.shell("true"));
  const auto again = room.manager().start(room.shell("true"));
  REQUIRE_FALSE(again);
  CHECK(again.error().is(manager_errc::name_taken));
  REQUIRE(room.manager().remove("p"));
  CHECK(room.manager().programs().empty());
  CHECK(room.run(room.shell("true")).how->exit_code == 0);
  for (const char* unknown : {"nobody", "..", "", "p/../p", "../programs/p"}) {
    CHECK(room.manager().look(unknown).error().is(manager_errc::no_such_program));
    CHECK(room.manager().stop(unknown, soon).error().is(manager_errc::no_such_program));
    CHECK(room.manager().remove(unknown).error().is(manager_errc::no_such_program));
    CHECK(room.manager().last_lines(unknown, 1).error().is(manager_errc::no_such_program));
  }
}

void leaves_nothing_of_what_cannot_be_started(manager_room& room) {
  const auto fails = [&](const program_spec& spec) {
    const auto done = room.manager().start(spec);
    REQUIRE_FALSE(done);
    CHECK(room.manager().programs().empty());
    return done.error();
  };
  const auto command = fails(room.words({"pyhton3"}));
  CHECK(command.is(manager_errc::no_such_command));
  CHECK(wording(command).contains("pyhton3"));
  CHECK(fails(room.words({"/etc"})).is(manager_errc::no_such_command));
  auto spec = room.shell("true");
  spec.name = "../p";
  CHECK(fails(spec).is(manager_errc::bad_spec));
  spec = room.shell("true");
  spec.mounts = {{"/tmp", "/proc/1", true}};
  CHECK(fails(spec).is(manager_errc::bad_spec));
  spec = room.shell("true");
  spec.working_directory = "/usr/../etc";
  CHECK(fails(spec).is(manager_errc::bad_spec));
}

void stops_by_asking_and_then_by_force(manager_room& room) {
  REQUIRE(room.manager().start(
      room.shell("trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done")));
  room.wait_for_line("up");
  CHECK(room.manager().look("p")->phase == program_phase::running);
  CHECK(room.manager().remove("p").error().is(manager_errc::still_running));
  REQUIRE(room.manager().stop("p", milliseconds(10'000)));
  const auto ended = room.wait();
  CHECK(ended.how->cause == ending_cause::told);
  CHECK(ended.how->exit_code == 3);
  CHECK(room.output().back() == "bye");
  CHECK(room.manager().stop("p", soon)); // once more does no harm

  REQUIRE(room.manager().start(room.shell(
      "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo up; while :; do sleep 1; done",
      "deaf")));
  room.wait_for_line("up", "deaf");
  REQUIRE(room.manager().stop("deaf", soon));
  const auto killed = room.wait("deaf");
  CHECK(killed.how->cause == ending_cause::told);
  CHECK(killed.how->signal == SIGKILL);

  REQUIRE(room.manager().start(room.shell("echo up; while :; do sleep 1; done", "now")));
  room.wait_for_line("up", "now");
  REQUIRE(room.manager().stop("now", milliseconds(0)));
  CHECK(room.wait("now").how->signal == SIGKILL);
}

void is_outlived_by_its_programs(manager_room& room) {
  REQUIRE(room.manager().start(
      room.shell("trap 'exit 9' TERM; echo up; while ! test -e /tmp/never; do sleep 0.05; done")));
  room.wait_for_line("up");
  room.run(room.shell("exit 4", "done"));
  room.restart();
  const auto found = room.manager().programs();
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "done");
  CHECK(found[0].how->exit_code == 4);
  CHECK(found[1].name == "p");
  CHECK(found[1].phase == program_phase::running);
  CHECK(room.output() == std::vector<std::string>{"up"});
  REQUIRE(room.manager().stop("p", milliseconds(10'000)));
  CHECK(room.wait().how->cause == ending_cause::told); // the new manager is told
  room.restart();
  const auto ended = room.manager().look("p");
  REQUIRE(ended);
  CHECK(ended->how->cause == ending_cause::told); // and the next one knows
  CHECK(ended->how->exit_code == 9);
}

void ends_programs_at_their_deadline(manager_room& room) {
  auto spec = room.shell("trap 'exit 5' TERM; while :; do sleep 0.05; done");
  spec.run_time_max = std::chrono::seconds(1);
  auto ended = room.run(spec);
  CHECK(ended.how->cause == ending_cause::deadline);
  CHECK(ended.how->exit_code == 5);
  CHECK(ended.ended_ms - ended.started_ms >= 900);
  spec.name = "q";
  REQUIRE(room.manager().start(spec));
  room.restart();
  ended = room.wait("q");
  CHECK(ended.how->cause == ending_cause::deadline);
}

void keeps_what_was_written_last(manager_room& room) {
  auto spec = room.shell("seq 1 30000; printf 'a\\033[31mred\\n'; echo last");
  spec.output = {.folder = {}, .file_bytes = 64 * 1024, .files = 3};
  CHECK(room.run(spec).how->exit_code == 0);
  const auto lines = room.manager().last_lines("p", 3);
  REQUIRE(lines);
  REQUIRE(lines->size() == 3);
  CHECK(lines->at(0) == "30000");
  CHECK(lines->at(1).find('\033') == std::string::npos);
  CHECK(lines->at(2) == "last");
}

void mounts_what_exists_and_may_be_seen(manager_room& room) {
  const auto outer = room.host_folder("outer"), inner = room.host_folder("inner");
  std::ofstream(outer / "in") << "from outside\n";
  fs::create_directories(outer / "below");
  auto spec = room.shell("cat /tmp/test/in; echo $NAME; pwd; id -u; echo out >/tmp/test/below/out;"
                         " { echo no >/tmp/test/out; } 2>/dev/null || echo read-only");
  spec.mounts = {{outer.string(), "/tmp/test", false}, {inner.string(), "/tmp/test/below", true}};
  spec.environment["NAME"] = "a b";
  spec.working_directory = "/tmp/test";
  CHECK(room.run(spec).how->exit_code == 0);
  const auto said = room.output();
  CHECK(said
        == std::vector<std::string>{"from outside", "a b", "/tmp/test", std::to_string(program_uid()),
                                    "read-only"});
  CHECK(fs::exists(inner / "out"));
  CHECK_FALSE(fs::exists(outer / "out"));
  REQUIRE(room.manager().remove("p"));

  const auto hidden = room.host_folder("data");
  const auto shown = room.host_folder("data/volumes/v");
  const auto code_of = [&](const fs::path& source) {
    spec.mounts = {{source.string(), "/tmp/test", false}};
    spec.working_directory = "/tmp";
    return room.manager().start(spec).error();
  };
  CHECK(code_of(room.where() / "nowhere").is(manager_errc::path_missing));
  for (const auto& each : {hidden, hidden / "volumes", room.where()})
    CHECK(code_of(each).is(manager_errc::path_not_allowed));
  fs::create_directory_symlink(hidden, room.where() / "link");
  CHECK(code_of(room.where() / "link").is(manager_errc::path_not_allowed));
  CHECK(room.manager().programs().empty());
  spec.mounts = {{shown.string(), "/tmp/test", false}};
  spec.argv.back() = "true";
  CHECK(room.run(spec).how->exit_code == 0);
}

} // namespace swarm::managers::testing
