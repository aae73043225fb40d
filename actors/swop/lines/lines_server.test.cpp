#include "actors/swop/lines/lines_server.hpp"

#include "actors/swop/lines/readers.hpp"
#include "transport/http/http_client.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>

namespace lines_server_test {

using namespace swarm;
using namespace swarm::swop;
using namespace swarm::transport::test;

namespace {

const part_id part{1, 2, 3};
const std::string told = R"({"programs":[]})", told_all = R"({"programs":[ ]})";

/// A SWOP's server in a network of two organisations that trust each other.
struct fixture {
  temp_folder own_folder, other_folder;
  authority own{own_folder.path(), "CA-1"}, other{other_folder.path(), "CA-2"};
  std::filesystem::path trusted = own_folder.path() / "both";
  transport::io_runtime io{2};
  std::unique_ptr<lines_server> server;
  std::atomic<unsigned> asked{0};

  explicit fixture(std::chrono::milliseconds patience = std::chrono::seconds(30)) {
    std::filesystem::create_directory(trusted);
    std::filesystem::copy(own.ca_file(), trusted / "ca-1-cert.pem");
    std::filesystem::copy(other.ca_file(), trusted / "ca-2-cert.pem");
    auto started =
        lines_server::start(io, identity_of(of(own, "SWOP-1")),
                            {.address = "127.0.0.1",
                             .offer = [] { return std::string("offered"); },
                             .log = [](std::uint64_t after) { return fmt::format("after {}", after); },
                             .patience = patience});
    if (!started) throw std::runtime_error(started.error().message);
    server = std::move(*started);
    server->answered_by([this](const lines_wish& which, const lines_server::reply& reply) {
      ++asked;
      if (which.part == part) reply(which.of_all ? told_all : told);
      return true;
    });
  }

  transport::tls_files of(const authority& by, const std::string& common_name) const {
    auto files = by.issue(common_name, {.common_name = common_name});
    files.cacert.clear();
    files.capath = trusted;
    return files;
  }
  result<transport::http_response> ask(const transport::tls_files& files,
                                       transport::http_request request = {.target = lines_target({part})}) {
    transport::http_client client(io, identity_of(files));
    waiting_for<result<transport::http_response>> done;
    client.request("127.0.0.1", server->port(), std::move(request),
                   [&](auto how) { done.set(std::move(how)); });
    return done.get();
  }
  std::optional<lines_refusal> refusal(const transport::tls_files& files) {
    const auto answer = ask(files);
    REQUIRE(answer);
    if (answer->status == 200) return std::nullopt;
    CHECK(answer->status == 403);
    return decode_refusal(answer->body);
  }
};

} // namespace

TEST_CASE("a SWCI of the own organisation is told") {
  fixture f;
  const auto answer = f.ask(f.of(f.own, "SWCI-1"));
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body == told);
  CHECK(f.ask(f.of(f.own, "SWCI-1"), {.target = "/host"})->body == "offered");
  CHECK(f.ask(f.of(f.own, "SWCI-1"), {.target = "/log/12"})->body == "after 12");
  CHECK(f.ask(f.of(f.own, "SWCI-1"), {.target = lines_target({part, true})})->body == told_all);
  CHECK(answer->peer.cert_subject.ends_with("CN=SWOP-1"));
  CHECK(identity_of(f.of(f.own, "SWCI-1"))->shares_anchor(*answer->peer.anchor));
  CHECK_FALSE(identity_of(f.of(f.other, "SWCI-2"))->shares_anchor(*answer->peer.anchor));
}

TEST_CASE("nobody of another organisation is told anything, though its authority is trusted") {
  fixture f;
  for (const auto* name : {"SWCI-1", "SWOP-1", "swci-1.own.example", "anybody"})
    CHECK_MESSAGE(f.refusal(f.of(f.other, name)) == lines_refusal::other_organisation, name);
  for (const auto& target : {std::string("/host"), std::string("/log/0"), lines_target({part, true})})
    CHECK(f.ask(f.of(f.other, "SWCI-1"), {.target = target})->status == 403);
  CHECK(f.asked == 0);
  CHECK(f.server->refused() == 7);
}

TEST_CASE("a session that is resumed belongs to the organisation that it belonged to") {
  fixture f;
  for (const auto& [by, status] : {std::pair(&f.own, 200u), std::pair(&f.other, 403u)}) {
    transport::http_client client(f.io, identity_of(f.of(*by, "SWCI-1")),
                                  {.idle_timeout = std::chrono::milliseconds(1)});
    while (client.totals().sessions_resumed < 2) {
      waiting_for<result<transport::http_response>> done;
      client.request("127.0.0.1", f.server->port(), {.target = lines_target({part})},
                     [&](auto how) { done.set(std::move(how)); });
      const auto answer = done.get();
      REQUIRE(answer);
      CHECK(answer->status == status);
      CHECK(answer->peer.cert_subject.ends_with("CN=SWOP-1"));
      CHECK(answer->peer.anchor->fingerprint == identity_of(f.of(f.own, "SWCI-1"))->anchor()->fingerprint);
      REQUIRE(eventually([&] { return f.server->status().connections == 0; }));
    }
  }
}

TEST_CASE("TLS 1.2 proves the same") {
  fixture f;
  for (const auto& [by, status] : {std::pair(&f.own, " 200 "), std::pair(&f.other, " 403 ")}) {
    auto raw = raw_tls::connect(f.server->port(), f.of(*by, "SWCI-1"), TLS1_2_VERSION);
    REQUIRE(raw.shaken());
    raw.write("GET " + lines_target({part}) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(raw.read_answer().has(status));
  }
}

TEST_CASE("a certificate has to say SWCI") {
  fixture f;
  for (const auto* name : {"SL-1", "sl1", "sn-1.example", "SWOP-2", "Sn", "ward-7", "slow", "console"})
    CHECK_MESSAGE(f.refusal(f.of(f.own, name)) == lines_refusal::no_swci, name);
  for (const auto* name : {"swci-9", "SWCI", "sl-and-swci"})
    CHECK_MESSAGE(!f.refusal(f.of(f.own, name)), name);
}

TEST_CASE("who shows no certificate, or one of an unknown authority, gets no further than the handshake") {
  fixture f;
  temp_folder folder;
  const authority stranger(folder.path(), "CA-1"); // called as the own one
  auto files = stranger.issue("SWCI-1");
  files.cacert.clear();
  files.capath = f.trusted;
  CHECK_FALSE(transport::tls_identity::load(files)); // an honest node does not even start
  for (const auto& shown : {std::optional<transport::tls_files>{}, std::optional(files)}) {
    auto raw = raw_tls::connect(f.server->port(), shown);
    raw.write("GET " + lines_target({part}) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(raw.read_to_end().empty());
  }
  CHECK(f.asked == 0);
  CHECK(eventually([&] { return f.server->status().handshake_failures == 2; })); // counted behind the answer
}

TEST_CASE("there is nothing but the last lines of parts, and nobody answers while nobody is there") {
  fixture f;
  const auto files = f.of(f.own, "SWCI-1");
  const auto status = [&](transport::http_request request) {
    const auto answer = f.ask(files, std::move(request));
    REQUIRE(answer);
    return answer->status;
  };
  CHECK(status({.target = "/"}) == 404);
  CHECK(status({.target = "/last-lines/../1.2.3"}) == 404);
  CHECK(status({.method = "POST", .target = lines_target({part})}) == 405);
  CHECK(status({.method = "POST", .target = "/", .body = std::string(5000, 'x')}) == 413);
  CHECK(status({.target = "/" + std::string(8000, 'x')}) == 431);
  CHECK(f.asked == 0);
  CHECK(status({.target = lines_target({{9, 9, 9}})}) == 500); // whoever had to answer has let it go
  f.server->answered_by({});
  CHECK(status({.target = lines_target({part})}) == 503);
}

TEST_CASE("a flood of connections is bounded, and those that say nothing are gone soon") {
  fixture f(std::chrono::milliseconds(500));
  std::vector<int> silent;
  for (int i = 0; i < 100; ++i)
    silent.push_back(connect_tcp(f.server->port()));
  auto slow = raw_tls::connect(f.server->port(), std::nullopt); // too many by then
  const auto most = lines_server_options{}.connections_max;
  REQUIRE(eventually([&] { return f.server->status().handshakes_displaced >= 100 - most; }));
  CHECK(f.server->status().connections <= most);
  REQUIRE(eventually([&] { return f.server->status().connections == 0; }));
  const auto answer = f.ask(f.of(f.own, "SWCI-1"));
  REQUIRE(answer);
  CHECK(answer->body == told);
  for (const int fd : silent)
    ::close(fd);
}

TEST_CASE("a client that asks slowly, or does not end its head, is not waited for") {
  fixture f(std::chrono::milliseconds(500));
  auto slow = raw_tls::connect(f.server->port(), f.of(f.own, "SWCI-1"));
  REQUIRE(slow.shaken());
  const auto begun = std::chrono::steady_clock::now();
  slow.write("GET " + lines_target({part}) + " HTTP/1.1\r\nHo");
  CHECK(slow.read_to_end().empty());
  CHECK(std::chrono::steady_clock::now() - begun < patience / 2);
  REQUIRE(eventually([&] { return f.server->status().connections == 0; }));
  CHECK(f.asked == 0);
}

} // namespace lines_server_test
