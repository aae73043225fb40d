#include "actors/swop/managers/process/program_folder.hpp"

#include "actors/swop/managers/process/testing/scratch.hpp"
#include "base/testing/power_cuts.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

namespace program_folder_test {

using namespace swarm;
using namespace swarm::managers;
using swarm::managers::test::scratch;
namespace fs = std::filesystem;

namespace {

program_spec spec() {
  program_spec out;
  out.name = "p";
  out.argv = {"true"};
  out.working_directory = "/";
  return out;
}

/// A state as a shim that is this process would write it.
shim_state own_state() {
  shim_state out;
  out.boot = boot_id();
  out.shim = *process_of(::getpid());
  return out;
}

shim_state running(process_id init) {
  auto out = own_state();
  out.phase = shim_state::running{init, 1000};
  return out;
}

shim_state ended() {
  auto out = own_state();
  out.phase = shim_state::ended{1000, 2000, {.cause = ending_cause::itself, .exit_code = 3}};
  return out;
}

void put(const fs::path& path, std::string_view text) {
  std::ofstream(path) << text;
}

} // namespace

TEST_CASE("a folder says what its shim and its state say together") {
  const scratch room;
  const program_folder folder(room.where / "p");
  REQUIRE(folder.make(spec()));
  CHECK(folder.make(spec()).error().is(manager_errc::name_taken));
  const auto read = folder.spec();
  REQUIRE_MESSAGE(read, read.error().message);
  CHECK(*read == spec());
  const auto cause = [&] { return program_in(folder, "p").how->cause; };
  CHECK(program_in(folder, "p").phase == program_phase::ended);
  CHECK(cause() == ending_cause::not_started);
  {
    const auto lock = file::lock(folder.lock_file());
    REQUIRE(lock);
    CHECK(folder.has_shim());
    CHECK(program_in(folder, "p").phase == program_phase::starting);
    REQUIRE(folder.write(own_state()));
    CHECK(program_in(folder, "p").phase == program_phase::starting);
    REQUIRE(folder.write(running(*process_of(::getpid()))));
    CHECK(program_in(folder, "p").phase == program_phase::running);
    CHECK(program_in(folder, "p").started_ms == 1000);
    CHECK(folder.remove().error().is(manager_errc::still_running));
    CHECK(folder.spec());
  }
  CHECK_FALSE(folder.has_shim());
  CHECK(cause() == ending_cause::lost);
  CHECK(program_in(folder, "p").started_ms == 1000);
  REQUIRE(folder.write(own_state()));
  CHECK(cause() == ending_cause::not_started);
  REQUIRE(folder.write(ended()));
  CHECK(program_in(folder, "p")
        == program{"p", program_phase::ended, 1000, 2000, std::get<shim_state::ended>(ended().phase).how});
}

TEST_CASE("a state that lies is seen through") {
  const scratch room;
  const program_folder folder(room.where / "p");
  REQUIRE(folder.make(spec()));
  const auto self = *process_of(::getpid());
  CHECK(left_behind(running(self))); // what a killed shim could leave
  CHECK_FALSE(left_behind(running({self.pid, self.start + 1})));
  auto before_reboot = running(self);
  before_reboot.boot = "another";
  CHECK_FALSE(left_behind(before_reboot));
  CHECK_FALSE(left_behind(own_state()));
  CHECK_FALSE(left_behind(ended()));
  // No shim holds the lock: whatever the state says of processes that live, nobody watches it.
  REQUIRE(folder.write(before_reboot));
  CHECK(program_in(folder, "p").how->cause == ending_cause::lost);
  for (const char* nonsense : {"", "{", "{}", "[]", "\xff\xfe"}) {
    put(folder.state_file(), nonsense);
    const auto seen = program_in(folder, "p");
    CHECK(seen.phase == program_phase::ended);
    CHECK(seen.how->cause == ending_cause::lost);
    CHECK(!seen.how->message.empty());
  }
  fs::remove(folder.state_file());
  fs::create_symlink("/etc/passwd", folder.state_file());
  CHECK_FALSE(folder.state());
}

TEST_CASE("removing takes the manager's files, and the folder only if there are no others") {
  const scratch room;
  const program_folder folder(room.where / "p");
  REQUIRE(folder.make(spec()));
  REQUIRE(folder.write(ended()));
  REQUIRE(folder.put_room_aside());
  put(folder.where() / "output.log", "x");
  put(folder.where() / "spec.json.Ab12Cd", "half");
  put(folder.where() / "state.json.new", "half");
  put(folder.where() / "precious", "x");
  CHECK(folder.remove().error().is(manager_errc::io));
  CHECK(std::distance(fs::directory_iterator(folder.where()), {}) == 1);
  fs::remove(folder.where() / "precious");
  CHECK(folder.remove());
  CHECK_FALSE(fs::exists(folder.where()));
}

TEST_CASE("after a power cut at any change a folder is read as what it is") {
  const scratch room;
  const auto where = room.where / "p";
  const program_folder folder(where);
  REQUIRE(folder.make(spec()));
  swarm::testing::watched_folder disk(where);
  REQUIRE(folder.put_room_aside());
  std::vector<std::size_t> written_at;
  for (const auto& state : {own_state(), running({1, 1}), ended()}) {
    REQUIRE(folder.write(state));
    written_at.push_back(disk.record().changes());
  }
  swarm::testing::cut_plan plan(1);
  const auto cuts = swarm::testing::cut_everywhere(
      disk.record(), room.where / "cut", plan, [&](std::size_t at, const fs::path& left) {
        const program_folder found(left);
        CHECK(found.spec());
        const auto seen = program_in(found, "p");
        REQUIRE(seen.phase == program_phase::ended);
        const auto cause = seen.how->cause;
        if (at >= written_at[2])
          CHECK(cause == ending_cause::itself);
        else if (at >= written_at[1])
          CHECK((cause == ending_cause::itself || cause == ending_cause::lost));
        else
          CHECK((cause == ending_cause::not_started || cause == ending_cause::lost));
        CHECK(found.remove());
      });
  CHECK(cuts > 30);
}

} // namespace program_folder_test
