#include "actors/metrics/server/metrics.hpp"

#include "actors/metrics/server/actor_metrics.hpp"
#include "actors/supervision/testing/test_tree.hpp"
#include "transport/io_runtime.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

namespace metrics_test {

using namespace swarm;
using namespace swarm::actors;
using namespace swarm::actors::test;
using namespace swarm::transport::test;

namespace {

/// /metrics and the puppet /a.
struct fixture {
  temp_folder folder;
  authority ca{folder.path(), "CA-1"};
  transport::tls_files server = ca.issue("sn-1"), client = ca.issue("sl-1");
  transport::io_runtime io{2};
  std::shared_ptr<journal> log = std::make_shared<journal>();
  running_tree tree{{.children = {metrics_child({.place = {"127.0.0.1", 0},
                                                 .io = &io,
                                                 .identity = transport::tls_identity::load(server).value(),
                                                 .version = "1.2.3"}),
                                  puppet_child("a", log)}}};
  std::uint16_t port = 0;

  fixture() {
    REQUIRE(tree.wait_running("/a"));
    const auto status = tree.ask<actor_status>("/metrics", status_request{});
    REQUIRE(status);
    port = static_cast<std::uint16_t>(std::stoi(status->state.substr(5))); // "port N, ..."
  }

  std::string ask(const std::string& head) {
    const int fd = connect_tcp(port);
    const auto request = head + "Connection: close\r\n\r\n";
    REQUIRE(::write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size()));
    auto out = read_plain_to_end(fd);
    ::close(fd);
    return out;
  }
  std::string scrape() { return ask("GET /metrics HTTP/1.1\r\nHost: localhost:1\r\n"); }
};

bool has(const std::string& text, std::string_view line) {
  return text.find("\n" + std::string(line) + "\n") != std::string::npos;
}

} // namespace

TEST_CASE("actors that come and go are of one kind") {
  using metrics::kind_of;
  CHECK(kind_of("/root") == "/root");
  CHECK(kind_of("/sn/chain") == "/sn/chain");
  CHECK(kind_of("/sl/leader:3.0/merge") == "/sl/leader/merge");
  CHECK(kind_of("/sl-a/check:17") == "/sl-a/check");
  CHECK(kind_of("/swop/task:train") == "/swop/task");
  CHECK(kind_of("/sn/peers/hub") == "/sn/peers/hub");
  CHECK(kind_of("/sn/peers/0x00112233") == "/sn/peers/neighbor");
  CHECK(kind_of("/swci/sn-12") == "/swci/sn");
}

TEST_CASE("Prometheus reads the process, its actors and what they have told") {
  fixture f;
  f.tree.env().metrics.gauge_of({"swarmd_told", "told"}, {}).set(7);
  const auto text = f.scrape();
  CHECK(text.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(text.find("text/plain; version=0.0.4") != text.npos);
  CHECK(has(text, R"(swarmd_build_info{version="1.2.3"} 1)"));
  CHECK(has(text, R"(swarmd_actor_restarts_total{actor="/a"} 0)"));
  CHECK(has(text, R"(swarmd_actor_stuck{actor="/a"} 0)"));
  CHECK(has(text, "swarmd_told 7"));
  for (const auto* name : {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
                           "process_threads", "process_start_time_seconds", "process_max_fds"}) {
    CAPTURE(name);
    const auto at = text.find("\n" + std::string(name) + " ");
    REQUIRE(at != text.npos);
    CHECK(std::stod(text.substr(text.find(' ', at) + 1)) > 0);
  }
}

TEST_CASE("an actor that crashes counts, and one that is stuck is shown and delays nothing") {
  fixture f;
  f.tree.dir().send("/a", do_crash{"x"});
  REQUIRE(eventually([&] { return f.tree.status("/a").restarts == 1 && f.tree.dir().find("/a"); }));
  const auto at = std::make_shared<swarm::actors::test::gate>();
  f.tree.dir().send("/a", do_wait{at});
  at->wait_for_somebody();
  f.tree.dir().send("/a", do_nothing{});
  REQUIRE(eventually([&] { return has(f.scrape(), R"(swarmd_actor_stuck{actor="/a"} 1)"); }));
  const auto text = f.scrape();
  CHECK(has(text, R"(swarmd_actor_restarts_total{actor="/a"} 1)"));
  CHECK(has(text, R"(swarmd_mailbox_messages{actor="/a"} 1)"));
  at->open();
  CHECK(eventually([&] { return has(f.scrape(), R"(swarmd_actor_stuck{actor="/a"} 0)"); }));
}

TEST_CASE("nothing else is served, and nothing to a page of another name") {
  fixture f;
  CHECK(f.ask("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n").starts_with("HTTP/1.1 404"));
  CHECK(f.ask("GET /metrics/x HTTP/1.1\r\nHost: 127.0.0.1\r\n").starts_with("HTTP/1.1 404"));
  CHECK(f.ask("POST /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n")
            .starts_with("HTTP/1.1 405"));
  CHECK(f.ask("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n").starts_with("HTTP/1.1 403"));
  CHECK(f.ask("GET /metrics?x=1 HTTP/1.1\r\nHost: [::1]:30307\r\n").starts_with("HTTP/1.1 200"));
}

TEST_CASE("over TLS it is for those who prove who they are") {
  fixture f;
  auto member = raw_tls::connect(f.port, f.client);
  REQUIRE(member.shaken());
  member.write("GET /metrics HTTP/1.1\r\nHost: sn-1.example\r\n\r\n");
  CHECK(has(member.read_answer().body, R"(swarmd_build_info{version="1.2.3"} 1)"));
  auto stranger = raw_tls::connect(f.port, std::nullopt);
  stranger.write("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(stranger.read_to_end().find("swarmd_") == std::string::npos);
}

} // namespace metrics_test
