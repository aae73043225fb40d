#include "actors/swop/managers/docker/engine/client.hpp"

#include "actors/swop/managers/docker/testing/real_engine.hpp"
#include "base/testing/wording.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <thread>

namespace engine_client_test {

// What the client asks of engines, with real ones.

using namespace swarm;
using namespace swarm::engine;
using std::chrono::seconds;
using swarm::engine::testing::real_engine;
using swarm::testing::wording;

namespace {

const label_map ours{{"test.swarmd", "1"}};

template <class Result>
std::string why(const Result& of) {
  return of ? std::string() : of.error().message;
}

void with_each_engine(const std::function<void(const real_engine&, client&)>& test) {
  for (const char* kind : {"docker", "podman"}) {
    if (!real_engine::is_there(kind)) continue;
    CAPTURE(kind);
    const real_engine one(kind);
    client to(one.socket());
    test(one, to);
  }
}

container_wanted shell(const real_engine& on, const std::string& command) {
  container_wanted out;
  out.image = on.image();
  out.entrypoint = {"sh", "-c"};
  out.command = {command};
  out.labels = ours;
  out.network = "host";
  return out;
}

/// Somebody who serves a socket, and answers everybody with the same text.
class rude_engine {
public:
  explicit rude_engine(std::string answer) : answer_(std::move(answer)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = socket().native();
    REQUIRE(path.size() < sizeof address.sun_path);
    path.copy(address.sun_path, path.size());
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_, 5) == 0);
    thread_ = std::jthread([this] {
      for (int link = 0; (link = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(link)) {
        char piece[4096];
        std::ignore = ::recv(link, piece, sizeof piece, 0);
        std::ignore = ::send(link, answer_.data(), answer_.size(), MSG_NOSIGNAL);
        if (answer_.empty()) ::recv(link, piece, sizeof piece, 0); // until the other one goes
      }
    });
  }
  ~rude_engine() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::filesystem::path socket() const { return folder_.path() / "s"; }

private:
  swarm::testing::temporary_folder folder_;
  std::string answer_;
  int listener_ = -1;
  std::jthread thread_;
};

std::string http(const std::string& body, const std::string& head = "200 OK") {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}", head, body.size(), body);
}

} // namespace

TEST_CASE("a container lives and dies, on Docker and on Podman") {
  with_each_engine([](const real_engine& on, client& to) {
    const auto version = to.version();
    REQUIRE_MESSAGE(version, why(version));
    CHECK(version->product == (on.kind() == "docker" ? "Docker" : "Podman"));
    const auto id = to.create("swarmd-test", shell(on, "echo out; echo err >&2; exit 7"));
    REQUIRE_MESSAGE(id, why(id));
    CHECK(to.create("swarmd-test", shell(on, "true")).error().is(engine_errc::conflict));
    CHECK(to.inspect(*id)->started_ms == 0);
    REQUIRE(to.start(*id));
    CHECK(to.wait(*id, {}).value() == 7);
    const auto facts = to.inspect("swarmd-test");
    REQUIRE(facts);
    CHECK(facts->id == *id);
    CHECK(facts->state == "exited");
    CHECK(facts->exit_code == 7);
    CHECK(facts->started_ms > 1'700'000'000'000);
    CHECK(facts->ended_ms >= facts->started_ms);
    CHECK(facts->labels.at("test.swarmd") == "1");
    const auto text = to.logs(*id, 10);
    REQUIRE_MESSAGE(text, why(text));
    CHECK(text->find("out\n") != std::string::npos);
    CHECK(text->find("err\n") != std::string::npos);
    CHECK(to.containers(ours)->size() == 1);
    CHECK(to.containers({{"test.swarmd", "2"}})->empty());
    REQUIRE(to.remove(*id, false));
    for (const char* command : {"pyhton3", "/etc"}) {
      auto what = shell(on, "");
      what.entrypoint = {command};
      const auto bad = to.create("swarmd-bad", what);
      REQUIRE_MESSAGE(bad, why(bad));
      CHECK(to.start(*bad).error().is(engine_errc::no_such_command));
      REQUIRE(to.remove(*bad, false));
    }
    auto what = shell(on, "true");
    what.image = "swarmd-none:1";
    CHECK(to.create("swarmd-bad", what).error().is(engine_errc::not_found));
    CHECK(to.inspect(*id).error().is(engine_errc::not_found));
    CHECK(to.start(*id).error().is(engine_errc::not_found));
  });
}

TEST_CASE("stop, kill and the events that tell of it") {
  with_each_engine([](const real_engine& on, client& to) {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<container_event> seen;
    std::jthread listener([&](const std::stop_token& stop) {
      const auto ended = to.events(ours, stop, [&](const container_event& event) {
        const std::lock_guard lock(mutex);
        seen.push_back(event);
        changed.notify_all();
      });
      CHECK(ended.error().is(engine_errc::stopped));
    });
    const auto wait_for = [&](std::string_view action) {
      std::unique_lock lock(mutex);
      return changed.wait_for(lock, seconds(20), [&] {
        return std::ranges::any_of(seen, [&](const auto& each) {
          return each.action == action && (action.empty() || each.labels.contains("test.swarmd"));
        });
      });
    };
    CHECK(wait_for(""));
    const auto id =
        to.create("swarmd-test", shell(on, "trap 'exit 3' TERM; echo up; while :; do sleep 0.1; done"));
    REQUIRE_MESSAGE(id, why(id));
    // Podman tells nothing of the first moments after the call; what is looked at is looked at anyway.
    REQUIRE(to.start(*id));
    while (to.logs(*id, 1)->empty())
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    REQUIRE(to.stop(*id, seconds(20)));
    CHECK(to.inspect(*id)->exit_code == 3);
    CHECK(to.stop(*id, seconds(1)));
    CHECK(wait_for("die"));
    REQUIRE(to.remove(*id, true));
    auto deaf = to.create("swarmd-deaf", shell(on, "trap '' TERM; sleep 600"));
    REQUIRE(deaf);
    REQUIRE(to.start(*deaf));
    REQUIRE(to.kill(*deaf, "SIGKILL"));
    CHECK(to.wait(*deaf, {}).value() == 137);
    REQUIRE(to.remove(*deaf, true));
    listener.request_stop();
  });
}

TEST_CASE("volumes and networks, with fixed addresses") {
  with_each_engine([](const real_engine& on, client& to) {
    CHECK(to.volume("swarmd-v").error().is(engine_errc::not_found));
    REQUIRE(to.make_volume("swarmd-v", ours));
    REQUIRE(to.make_volume("swarmd-v", ours));
    CHECK(to.volume("swarmd-v")->labels == ours);
    CHECK(to.volumes(ours)->size() == 1);
    const auto made = to.make_network("swarmd-n", "10.213.77.0/24", ours);
    REQUIRE_MESSAGE(made, why(made));
    CHECK(to.network("swarmd-n")->subnets == std::vector<std::string>{"10.213.77.0/24"});
    CHECK(to.network("swarmd-none").error().is(engine_errc::not_found));
    auto what = shell(on, "hostname; echo hi >/v/file; ip -4 -o addr show eth0");
    what.mounts = {{"swarmd-v", "/v", true}};
    what.network = "swarmd-n";
    what.address = "10.213.77.9";
    what.host_name = "user1";
    const auto id = to.create("swarmd-test", what);
    REQUIRE_MESSAGE(id, why(id));
    const auto started = to.start(*id);
    REQUIRE_MESSAGE(started, why(started));
    CHECK(to.wait(*id, {}).value() == 0);
    const auto text = to.logs(*id, 10).value();
    CHECK(text.starts_with("user1\n"));
    CHECK(text.find("10.213.77.9/24") != std::string::npos);
    std::string archive;
    REQUIRE(to.read_folder(*id, "/v/.",
                           [&](std::string_view piece) -> result<bool> {
                             archive += piece;
                             return true;
                           },
                           {}));
    CHECK(archive.find("hi\n") != std::string::npos);
    CHECK(to.remove_volume("swarmd-v").error().is(engine_errc::conflict));
    REQUIRE(to.remove(*id, false));
    CHECK(to.volume("swarmd-v")); // one with a name stays
    CHECK(to.remove_volume("swarmd-v"));
    CHECK(to.remove_network("swarmd-n"));
  });
}

TEST_CASE("what is no engine, or one that dies in the middle, is told apart") {
  const swarm::testing::temporary_folder folder;
  client none(folder.path() / "none");
  CHECK(none.version().error().is(engine_errc::absent));
  const std::string facts = R"({"ApiVersion":"1.41","MinAPIVersion":"1.12","Version":"20.10"})";
  const auto code_of = [](const std::string& answer) {
    const rude_engine rude(answer);
    client to(rude.socket());
    return to.version().error();
  };
  CHECK(code_of(http(R"({"ApiVersion":"1.23","MinAPIVersion":"1.12"})")).is(engine_errc::too_old));
  CHECK(code_of(http(R"({"ApiVersion":"9.99","MinAPIVersion":"9.1"})")).is(engine_errc::too_old));
  CHECK(code_of(http("[]")).is(engine_errc::bad_answer));
  CHECK(code_of("SSH-2.0-OpenSSH\r\n\r\n").is(engine_errc::bad_answer));
  CHECK(code_of("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + facts).is(engine_errc::died));
  CHECK(code_of("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + std::string(17 << 20, ' '))
            .is(engine_errc::too_large));
  const rude_engine silent("");
  CHECK(exchange(silent.socket(), {.target = "/version"}, {.head = std::chrono::milliseconds(50)})
            .error()
            .is(engine_errc::timeout));
  std::stop_source stop;
  std::jthread soon([&] { stop.request_stop(); });
  CHECK(exchange(silent.socket(), {.target = "/version"}, {}, stop.get_token())
            .error()
            .is(engine_errc::stopped));
}

TEST_CASE("a socket that this user may not open is told apart, with the remedy") {
  const rude_engine other(http("{}"));
  REQUIRE(::chmod(other.socket().c_str(), 0600) == 0);
  REQUIRE(::chmod(other.socket().parent_path().c_str(), 0755) == 0);
  client to(other.socket());
  // Root may open everything.
  const bool is_root = ::geteuid() == 0;
  if (is_root) REQUIRE(::seteuid(12345) == 0);
  if (!is_root) REQUIRE(::chmod(other.socket().c_str(), 0) == 0);
  const auto told = to.ping().error();
  if (is_root) REQUIRE(::seteuid(0) == 0);
  CHECK(told.is(engine_errc::forbidden));
  CHECK(wording(told).contains("add it to the socket's group"));
}

TEST_CASE("an engine that is killed ends what waits for it, and is found again") {
  if (!real_engine::is_there("docker")) return;
  real_engine one("docker");
  client to(one.socket());
  const auto id = to.create("swarmd-test", shell(one, "trap exit TERM; sleep 600 & wait"));
  REQUIRE(id);
  REQUIRE(to.start(*id));
  std::jthread killer([&] { one.kill(); });
  const auto waited = to.wait(*id, {});
  CHECK((waited.error().is(engine_errc::died) || waited.error().is(engine_errc::absent)));
  killer.join();
  CHECK(to.inspect(*id).error().is(engine_errc::absent));
  one.start();
  CHECK(to.inspect(*id));
}

} // namespace engine_client_test
