#include "actors/swop/managers/docker/docker_manager.hpp"

#include "actors/swop/managers/docker/testing/docker_room.hpp"
#include "actors/swop/managers/testing/life_suite.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

namespace docker_manager_test {

// Lives and deaths of containers, with real engines of both kinds.

using namespace swarm;
using namespace swarm::managers;
using namespace swarm::managers::testing;
using std::chrono::milliseconds;
using swarm::engine::testing::real_engine;
using swarm::testing::wording;

namespace {

/// One engine of each kind for all tests that do it no harm.
real_engine& engine_of(const std::string& kind) {
  static std::map<std::string, std::unique_ptr<real_engine>> known;
  auto& out = known[kind];
  if (!out) out = std::make_unique<real_engine>(kind);
  return *out;
}

void in_each(const std::function<void(docker_room&)>& test) {
  for (const char* kind : {"docker", "podman"}) {
    if (!real_engine::is_there(kind)) continue;
    INFO(kind);
    docker_room room(engine_of(kind));
    test(room);
  }
}

} // namespace

TEST_CASE("a program that ends says with what") {
  in_each(says_with_what_a_program_ended);
}
TEST_CASE("names: one program each, and it is there until it is removed") {
  in_each(has_one_program_of_each_name);
}
TEST_CASE("what cannot be started leaves nothing behind and says why") {
  in_each(leaves_nothing_of_what_cannot_be_started);
}
TEST_CASE("stop is SIGTERM, and SIGKILL to those that do not mind") {
  in_each(stops_by_asking_and_then_by_force);
}
TEST_CASE("a program outlives its manager, and the next one finds it") {
  in_each(is_outlived_by_its_programs);
}
TEST_CASE("a program ends at its deadline") {
  in_each(ends_programs_at_their_deadline);
}
TEST_CASE("output: what was written last is there") {
  in_each(keeps_what_was_written_last);
}
TEST_CASE("mounts: what exists and may be seen") {
  in_each(mounts_what_exists_and_may_be_seen);
}

TEST_CASE("containers of others are never listed and never touched") {
  in_each([](docker_room& room) {
    engine::container_wanted what;
    what.image = room.shell("").container->image;
    what.entrypoint = {"sleep", "600"};
    what.network = "host";
    // One of somebody else's SWOP, one that somebody labelled by hand, and one with a name that ours would take.
    what.labels = {{"swarmd.owner", "other"}, {"swarmd.program", "p"}};
    const auto other = room.client().create("swop-other-p", what).value();
    what.labels = {{"swarmd.owner", "test-owner"}, {"swarmd.program", "../p"}};
    const auto strange = room.client().create("by-hand", what).value();
    what.labels.clear();
    const auto foreign = room.client().create("swop-test-owner-p", what).value();
    for (const auto& each : {other, strange, foreign})
      REQUIRE(room.client().start(each));
    CHECK(room.manager().programs().empty());
    CHECK(room.manager().look("p").error().is(manager_errc::no_such_program));
    CHECK(room.manager().stop("p", milliseconds(0)).error().is(manager_errc::no_such_program));
    CHECK(room.manager().remove("p").error().is(manager_errc::no_such_program));
    CHECK(room.manager().last_lines("swop-other-p", 1).error().is(manager_errc::no_such_program));
    const auto taken = room.manager().start(room.shell("true"));
    REQUIRE_FALSE(taken);
    CHECK(taken.error().is(manager_errc::name_taken));
    for (const auto& each : {other, strange, foreign}) {
      CHECK(room.client().inspect(each)->state == "running");
      REQUIRE(room.client().remove(each, true));
    }
  });
}

TEST_CASE("images, volumes, networks and addresses that are not there are named") {
  in_each([](docker_room& room) {
    const auto fails = [&](const std::function<void(program_spec&)>& change) {
      auto spec = room.shell("true");
      change(spec);
      const auto done = room.manager().start(spec);
      REQUIRE_FALSE(done);
      CHECK(room.manager().programs().empty());
      return done.error();
    };
    const auto image = fails([](auto& spec) { spec.container->image = "user-env-none:9"; });
    CHECK(image.is(manager_errc::image_missing));
    CHECK(wording(image).contains("user-env-none:9"));
    CHECK(fails([](auto& spec) { spec.container->image = ""; }).is(manager_errc::bad_spec));
    CHECK(fails([](auto& spec) { spec.container.reset(); }).is(manager_errc::bad_spec));
    CHECK(fails([](auto& spec) {
            spec.mounts = {{"no-volume", "/v", true}};
          }).is(manager_errc::path_missing));
    for (const char* path : {"../etc", "a/b", "-v", ".", "v:/x"})
      CHECK(fails([&](auto& spec) { spec.mounts = {{path, "/v", true}}; }).is(manager_errc::bad_spec));
    const auto network = fails([](auto& spec) { spec.container->network = "no-network"; });
    CHECK(network.is(manager_errc::not_started));
    CHECK(wording(network).contains("there is no network no-network"));
  });
}

TEST_CASE("an address or port that somebody has is named, and one that the network cannot give") {
  in_each([](docker_room& room) {
    REQUIRE(room.client().make_network("swarmd-net", "10.214.77.0/24", {}));
    const auto at = [&](const std::string& name, const std::string& address, std::uint16_t port) {
      auto spec = room.shell("echo up; while :; do sleep 0.05; done", name);
      spec.container->network = "swarmd-net";
      spec.container->address = address;
      if (port != 0) spec.container->ports = {{port, 30305}};
      return spec;
    };
    REQUIRE(room.manager().start(at("p", "10.214.77.9", 16000)));
    const auto told = [&](const std::string& address, std::uint16_t port) {
      const auto done = room.manager().start(at("q", address, port));
      REQUIRE_FALSE(done);
      CHECK(done.error().is(manager_errc::not_started));
      CHECK(room.manager().programs().size() == 1);
      return wording(done.error());
    };
    CHECK(
        told("10.9.9.9", 0).contains("10.9.9.9 is not in the network swarmd-net, which has 10.214.77.0/24"));
    CHECK(told("10.214.77.0", 0).contains("that of the network swarmd-net"));
    CHECK(told("10.214.77.9", 0).contains("it wants the address 10.214.77.9 in the network swarmd-net"));
    CHECK(told("10.214.77.10", 16000).contains("the port 16000 of this host"));
    REQUIRE(room.manager().start(at("q", "10.214.77.10", 16001)));
    for (const char* each : {"p", "q"}) {
      REQUIRE(room.manager().stop(each, milliseconds(0)));
      room.wait(each);
      REQUIRE(room.manager().remove(each));
    }
    REQUIRE(room.client().remove_network("swarmd-net"));
  });
}

TEST_CASE("a container has what its profile says: volumes, options, bounds") {
  in_each([](docker_room& room) {
    REQUIRE(room.client().make_volume("swarmd-shared", {}));
    auto spec =
        room.shell("df /dev/shm | tail -1 | awk '{print $2}'; ulimit -n; id -G; ls /dev/sda1; echo x >/v/x");
    spec.mounts = {{"swarmd-shared", "/v", true}};
    spec.uid = spec.gid = 0; // a new volume is root's
    spec.limits.shared_memory_bytes = 8 << 20;
    // With a bound of ours Podman sets all others anew, for which a host may lack the right.
    const bool has_bounds = room.client().version()->product == "Docker";
    if (has_bounds) spec.limits.open_files = 77;
    spec.container->options.group_add = {"44"};
    spec.container->options.devices = {"/dev/null:/dev/sda1:r"};
    spec.container->options.security_opt = {"no-new-privileges"};
    spec.container->options.cap_add = {"SYS_NICE"};
    spec.container->options.ipc = "private";
    spec.container->labels["site"] = "ward 3";
    spec.container->labels["swarmd.owner"] = "somebody else"; // ours count
    const auto ended = room.run(spec);
    CHECK(ended.how->exit_code == 0);
    const auto lines = room.output();
    REQUIRE(lines.size() == 4);
    CHECK(lines[0] == "8192");
    CHECK((lines[1] == "77" || !has_bounds));
    CHECK(lines[2].find("44") != std::string::npos);
    CHECK(lines[3] == "/dev/sda1");
    CHECK(room.client().inspect("swop-test-owner-p")->labels.at("site") == "ward 3");
    REQUIRE(room.manager().remove("p"));
    CHECK(room.client().remove_volume("swarmd-shared"));
  });
}

TEST_CASE("one that takes more memory than it may is ended, and its text says so when the engine does not") {
  in_each([](docker_room& room) {
    auto spec = room.shell("a=x; while :; do a=$a$a; done");
    spec.limits.memory_bytes = 20 << 20;
    const auto ended = room.run(spec);
    CHECK(ended.how->signal == SIGKILL);
    // Docker hears of it by an event that may come after the end; Podman never says it.
    const bool says_why = ended.how->cause == ending_cause::out_of_memory;
    CHECK((says_why || ended.how->cause == ending_cause::itself));
    CHECK((room.client().version()->product == "Docker" || !says_why));
    CHECK((ended.how->message.find("more than its 20 MiB of memory") != std::string::npos) == !says_why);
  });
}

TEST_CASE("while the engine is away programs are not gone, and their end is told when it is back") {
  if (!real_engine::is_there("podman")) return;
  real_engine engine("podman"); // whose containers go on without it
  docker_room room(engine);
  REQUIRE(room.manager().start(room.shell("echo up; while ! test -e /tmp/go; do sleep 0.05; done; exit 6")));
  room.wait_for_line("up");
  CHECK(room.manager().programs().front().phase == program_phase::running);
  engine.kill();
  CHECK(room.manager().check().error().is(manager_errc::not_installed));
  CHECK(room.manager().look("p").error().is(manager_errc::not_installed));
  CHECK(room.manager().stop("p", milliseconds(0)).error().is(manager_errc::not_installed));
  REQUIRE(room.manager().programs().size() == 1);
  CHECK(room.manager().programs().front().phase == program_phase::running);
  engine.start();
  CHECK(eventually([&] { return room.manager().check().has_value(); }));
  REQUIRE(room.manager().stop("p", milliseconds(0)));
  CHECK(room.wait().how->cause == ending_cause::told);
}

TEST_CASE("when Docker is killed its containers end, and that is said") {
  if (!real_engine::is_there("docker")) return;
  real_engine engine("docker");
  docker_room room(engine);
  REQUIRE(room.manager().start(room.shell("trap 'exit 8' TERM; echo up; while :; do sleep 0.05; done")));
  room.wait_for_line("up");
  engine.kill();
  engine.start(); // ends what it finds
  const auto ended = room.wait();
  CHECK(ended.how->cause == ending_cause::itself);
  CHECK(room.manager().remove("p"));
}

} // namespace docker_manager_test
