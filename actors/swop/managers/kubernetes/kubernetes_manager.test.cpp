#include "actors/swop/managers/kubernetes/kubernetes_manager.hpp"

#include "actors/swop/managers/kubernetes/testing/cluster_room.hpp"
#include "actors/swop/managers/testing/life_suite.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <fstream>

namespace kubernetes_manager_test {

// What every manager promises, and what is a cluster's own, with one that is none.

namespace fs = std::filesystem;
using namespace swarm;
using namespace swarm::managers;
using namespace swarm::managers::testing;
using std::chrono::milliseconds;
using swarm::kubernetes::testing::cluster;
using swarm::testing::wording;

namespace {

/// One for all tests that do it no harm.
cluster& the_cluster() {
  static cluster out;
  return out;
}

void in_a_room(void (*test)(manager_room&)) {
  if (!cluster::is_there()) return;
  cluster_room room(the_cluster());
  test(room);
}

constexpr const char* endless = "trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done";

} // namespace

TEST_CASE("a program that ends says with what") {
  in_a_room(says_with_what_a_program_ended);
}
TEST_CASE("names: one program each, and it is there until it is removed") {
  in_a_room(has_one_program_of_each_name);
}
TEST_CASE("what cannot be started leaves nothing behind and says why") {
  in_a_room(leaves_nothing_of_what_cannot_be_started);
}
TEST_CASE("stop is SIGTERM, and SIGKILL to those that do not mind") {
  in_a_room(stops_by_asking_and_then_by_force);
}
TEST_CASE("a program outlives its manager, and the next one finds it") {
  in_a_room(is_outlived_by_its_programs);
}
TEST_CASE("a program ends at its deadline") {
  in_a_room(ends_programs_at_their_deadline);
}
TEST_CASE("output: what was written last is there") {
  in_a_room(keeps_what_was_written_last);
}
TEST_CASE("mounts: what exists and may be seen") {
  in_a_room(mounts_what_exists_and_may_be_seen);
}

TEST_CASE("a pair is in one pod, which is made when the second of them is to start") {
  if (!cluster::is_there()) return;
  cluster in;
  {
    cluster_room room(in);
    const auto key = room.where() / "key.pem";
    std::ofstream(key) << "a key\n";
    const auto with_pipes = [&](std::string command, std::string name) {
      auto spec = room.shell(std::move(command), std::move(name));
      spec.mounts = {{(room.channels() / "one" / "channel").string(), "/tmp/hpe-swarm", true}};
      spec.argv.emplace_back("SWARM_NODE_ADDRESS");
      return spec;
    };
    auto sl = with_pipes(
        "mkfifo /tmp/hpe-swarm/p && cat /swarm/key.pem; echo $0 $WORD; read x </tmp/hpe-swarm/p; echo $x",
        "a.sl");
    sl.mounts.push_back({key.string(), "/swarm/key.pem", false});
    sl.container->copied = {"/swarm/key.pem"};
    sl.environment["WORD"] = "$(HOME) $$ $";
    REQUIRE(room.manager().start(sl));
    CHECK(room.manager().look("a.sl")->phase == program_phase::starting);
    CHECK(in.tell("count jobs") == "0");
    REQUIRE(room.manager().start(with_pipes(
        "while ! test -p /tmp/hpe-swarm/p; do sleep 0.05; done; echo hello >/tmp/hpe-swarm/p", "a.ml")));
    CHECK(room.wait("a.ml").how->exit_code == 0);
    CHECK(room.wait("a.sl").how->exit_code == 0);
    CHECK(room.output("a.sl") == std::vector<std::string>{"a key", "127.0.0.1 $(HOME) $$ $", "hello"});
    CHECK(fs::is_empty(room.channels() / "one" / "channel"));
    CHECK(in.tell("count jobs") == "1");
    CHECK(in.tell("count secrets") == "1");
    REQUIRE(room.manager().remove("a.sl"));
    CHECK(in.tell("count jobs") == "1"); // the other's, too
    REQUIRE(room.manager().remove("a.ml"));
    CHECK(in.tell("count jobs") == "0");
    CHECK(in.tell("count secrets") == "0");

    // One that waits for its other half ends at once; one of a pair that runs takes the other with it.
    REQUIRE(room.manager().start(room.shell("true", "b.sl")));
    REQUIRE(room.manager().stop("b.sl", milliseconds(0)));
    CHECK(room.wait("b.sl").how->cause == ending_cause::told);
    REQUIRE(room.manager().start(room.shell(endless, "c.sl")));
    REQUIRE(room.manager().start(room.shell(endless, "c.ml")));
    room.wait_for_line("up", "c.sl");
    room.wait_for_line("up", "c.ml");
    REQUIRE(room.manager().stop("c.ml", milliseconds(5'000)));
    for (const char* each : {"c.ml", "c.sl"}) {
      const auto ended = room.wait(each);
      CHECK(ended.how->cause == ending_cause::told);
      CHECK(ended.how->exit_code == 3);
      CHECK(room.output(each) == std::vector<std::string>{"up"});
    }
    // An image that is not there fails both.
    auto without = room.shell(endless, "d.ml");
    without.container->image = "missing:1";
    REQUIRE(room.manager().start(room.shell(endless, "d.sl")));
    const auto failed = room.manager().start(without);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().is(manager_errc::image_missing));
    CHECK(wording(failed.error()).contains("missing:1"));
    CHECK(room.wait("d.sl").how->cause == ending_cause::not_started);
    CHECK(room.manager().look("d.ml").error().is(manager_errc::no_such_program));
  }
  CHECK(eventually([&] { return in.tell("count jobs") == "0" && in.tell("count pods") == "0"; }));
}

TEST_CASE("what the cluster ends is lost, and says by what; what is somebody else's is not touched") {
  if (!cluster::is_there()) return;
  cluster in;
  in.tell("other somebody");
  {
    cluster_room room(in);
    REQUIRE(room.manager().start(room.shell("echo up; while :; do sleep 1; done", "p")));
    room.wait_for_line("up");
    CHECK(room.manager().programs().size() == 1);
    in.tell("evict");
    auto ended = room.wait();
    CHECK(ended.how->cause == ending_cause::lost);
    CHECK(wording(ended.how->message).contains("node-1: Evicted: The node was low on resource: memory."));
    CHECK(room.output() == std::vector<std::string>{"up"});
    REQUIRE(room.manager().start(room.shell("echo up; while :; do sleep 1; done", "q")));
    room.wait_for_line("up", "q");
    in.tell("lose");
    ended = room.wait("q");
    CHECK(ended.how->cause == ending_cause::lost);
    CHECK(wording(ended.how->message).contains("node-1 is gone"));
  }
  CHECK(eventually([&] { return in.tell("count jobs") == "1" && in.tell("count pods") == "1"; }));
}

TEST_CASE("one for which there is no room is starting, people are told, and it can be stopped") {
  if (!cluster::is_there()) return;
  cluster in;
  cluster_room room(in);
  room.patience(milliseconds(100), milliseconds(100));
  auto spec = room.shell("true");
  spec.container->options.gpus = "9";
  REQUIRE(room.manager().start(spec));
  CHECK(room.manager().look("p")->phase == program_phase::starting);
  CHECK(eventually([&] {
    return std::ranges::any_of(room.told(), [](const std::string& each) {
      return each.find("Insufficient nvidia.com/gpu") != std::string::npos;
    });
  }));
  CHECK(room.manager().remove("p").error().is(manager_errc::still_running));
  REQUIRE(room.manager().stop("p", milliseconds(0)));
  CHECK(room.wait().how->cause == ending_cause::told);
  CHECK(room.manager().remove("p"));
  spec.container->options.gpus = "all";
  CHECK(room.manager().start(spec).error().is(manager_errc::bad_spec));
}

TEST_CASE("a server that is slow, away, forgetful or has a new token costs time and no program") {
  if (!cluster::is_there()) return;
  cluster in;
  cluster_room room(in);
  in.tell("fail 500 2");
  in.tell("slow 0.2");
  REQUIRE(room.manager().start(room.shell(endless)));
  in.tell("slow 0");
  room.wait_for_line("up");
  in.tell("gone"); // what a watch was to go on from is too old
  in.tell("token");
  room.run(room.shell("exit 4", "q"));
  CHECK(room.manager().look("q")->how->exit_code == 4);

  in.tell("away");
  CHECK(eventually([&] { return !room.told().empty(); }));
  CHECK(room.manager().check()); // a start would ask again
  REQUIRE(room.manager().programs().size() == 2);
  CHECK(room.manager().look("p")->phase == program_phase::running);
  REQUIRE(room.manager().stop("p", milliseconds(2'000))); // it is told as soon as it can be
  in.tell("back");
  const auto ended = room.wait();
  CHECK(ended.how->cause == ending_cause::told);
  CHECK(ended.how->exit_code == 3);
  CHECK(eventually([&] { return room.told().size() == 2; })); // that it was away, and that it is back
}

TEST_CASE(
    "what is not allowed is said with the role that allows it; a manager that was killed leaves no Job") {
  if (!cluster::is_there()) return;
  cluster in;
  {
    cluster_room room(in);
    in.tell("fail 403 1");
    auto why = room.manager().start(room.shell("true")).error();
    CHECK(why.is(manager_errc::forbidden));
    CHECK(wording(why).contains("deploy/kubernetes/swop"));
    CHECK(room.manager().programs().empty());
    REQUIRE(room.manager().start(room.shell(endless)));
    // As when the folder is lost: nobody knows of its program any more.
    room.restart();
    REQUIRE(room.manager().look("p"));
    fs::remove_all(room.where() / "programs" / "p");
    room.restart();
    CHECK(eventually([&] { return in.tell("count jobs") == "0"; }));
  }
  CHECK(eventually([&] { return in.tell("count pods") == "0"; }));
}

TEST_CASE("what the own pod has mounted programs get as the same volume, and nothing else of it") {
  if (!cluster::is_there()) return;
  cluster_room room(the_cluster());
  const auto mine = room.host_folder("mine"), below = room.host_folder("mine/below");
  auto spec = room.shell("mkdir $0/below; echo up; while :; do sleep 0.05; done");
  spec.argv.push_back(mine.string());
  spec.mounts = {{"own-claim", mine.string(), true}};
  REQUIRE(room.manager().start(spec));
  room.wait_for_line("up");
  const auto pods =
      the_cluster().api()->get(kubernetes::kind::pods, {}, {{"labelSelector", "swarmd.owner=test-owner"}});
  REQUIRE(pods);
  room.be_in(std::string(pods->at("items").at(0).at("metadata").at("name").as_string()));
  auto writes = room.shell("echo here >/v/file", "writes"), reads = room.shell("cat /c/below/file", "reads");
  writes.mounts = {{below.string(), "/v", true}};
  CHECK(room.run(writes).how->exit_code == 0);
  reads.mounts = {{"own-claim", "/c", false}};
  CHECK(room.run(reads).how->exit_code == 0);
  CHECK(room.output("reads") == std::vector<std::string>{"here"});
  CHECK_FALSE(fs::exists(below / "file")); // which is of this host
  writes.name = "outside";
  writes.mounts = {{room.host_folder("outside").string(), "/v", true}};
  CHECK(room.manager().start(writes).error().is(manager_errc::path_not_allowed));
}

TEST_CASE("a server that another authority vouches for is not asked, and the file is named") {
  if (!cluster::is_there()) return;
  cluster in;
  auto place = in.place();
  place.ca_file = the_cluster().place().ca_file;
  const auto said = kubernetes::api(place).get(kubernetes::kind::jobs, {});
  REQUIRE_FALSE(said);
  CHECK(wording(said.error()).contains(place.ca_file.native() + " the CA of this cluster?"));
  place.token_file = "/nonexistent";
  CHECK(kubernetes::api(place).get(kubernetes::kind::jobs, {}).error().is(kubernetes::api_errc::nowhere));
}

} // namespace kubernetes_manager_test
