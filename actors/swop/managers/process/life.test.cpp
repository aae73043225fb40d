#include "actors/swop/managers/process/testing/program_room.hpp"
#include "actors/swop/managers/testing/life_suite.hpp"

#include <doctest/doctest.h>

namespace life_test {

// What every manager promises, with real sandboxes.

using namespace swarm::managers;
using namespace swarm::managers::testing;

namespace {

void in_a_room(void (*test)(manager_room&)) {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  test(room);
}

} // namespace

TEST_CASE("a program that ends says with what, as with every manager") {
  in_a_room(says_with_what_a_program_ended);
}
TEST_CASE("names: one program each, and it is there until it is removed") {
  in_a_room(has_one_program_of_each_name);
}
TEST_CASE("a program that is removed leaves no folder") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  room.run(room.shell("true"));
  REQUIRE(room.manager().remove("p"));
  CHECK(!std::filesystem::exists(room.folder()));
}
TEST_CASE("what cannot be started leaves nothing behind, as with every manager") {
  in_a_room(leaves_nothing_of_what_cannot_be_started);
}
TEST_CASE("stop is SIGTERM, and SIGKILL to those that do not mind, as with every manager") {
  in_a_room(stops_by_asking_and_then_by_force);
}
TEST_CASE("a program outlives its manager, as with every manager") {
  in_a_room(is_outlived_by_its_programs);
}
TEST_CASE("a program ends at its deadline, as with every manager") {
  in_a_room(ends_programs_at_their_deadline);
}
TEST_CASE("output: what was written last is there, as with every manager") {
  in_a_room(keeps_what_was_written_last);
}
TEST_CASE("mounts: what exists and may be seen, as with every manager") {
  in_a_room(mounts_what_exists_and_may_be_seen);
}
TEST_CASE("containers are refused") {
  if (!program_room::has_sandboxes()) return;
  program_room room;
  auto spec = room.shell("true");
  spec.container.emplace();
  CHECK(room.manager().start(spec).error().is(manager_errc::bad_spec));
  CHECK(room.manager().programs().empty());
}

} // namespace life_test
