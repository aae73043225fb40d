// What connections report of the certificates at their ends.
#include "transport/identity/certificate_facts.hpp"

#include "transport/http/testing/http_fixture.hpp"
#include "transport/ws/testing/ws_fixture.hpp"

namespace certificate_facts_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;

namespace {

using strings = std::vector<std::string>;

/// Both ends of one request, as they see each other.
struct seen {
  peer_info by_server;
  peer_info by_client;
};

seen see(http_fixture& f, const tls_files& client) {
  waiting_for<peer_info> server_saw;
  f.serve([&](const http_request& request, const http_reply& reply) {
    server_saw.set(request.peer);
    reply(text_response(200, "x"));
  });
  http_client asking(f.io, identity_of(client));
  waiting_for<result<fetch_result>> done;
  asking.fetch(
      "127.0.0.1", f.server->port(), "/", std::nullopt, [](bytes_view) -> result<> { return {}; },
      [&](auto how) { done.set(std::move(how)); });
  const auto fetched = done.get();
  REQUIRE(fetched);
  return {server_saw.get(), fetched->peer};
}

} // namespace

TEST_CASE("a certificate is told in plain words") {
  http_fixture f;
  certificate_wish wish;
  wish.common_name = "SN-1, of host 7";
  wish.alt_names = "DNS:sn.example.org,IP:10.9.8.7,IP:fe80::1,URI:spiffe://org/sn,email:who@example.org";
  const auto files = f.ca.issue("sn-9", wish);
  const auto facts = *identity_of(files)->certificate();
  CHECK(facts.fingerprint == identity_of(files)->fingerprint());
  CHECK(facts.subject_parts == std::vector<name_part>{{"OU", "Swarm-Learning"}, {"CN", "SN-1, of host 7"}});
  CHECK(facts.issuer_parts == std::vector<name_part>{{"OU", "Swarm-Learning"}, {"CN", "CA-1"}});
  CHECK(facts.issuer == "OU=Swarm-Learning, CN=CA-1");
  CHECK(facts.dns_names == strings{"sn.example.org"});
  CHECK(facts.ip_addresses == strings{"10.9.8.7", "fe80::1"});
  CHECK(facts.uris == strings{"spiffe://org/sn"});
  CHECK(facts.emails == strings{"who@example.org"});
  CHECK(facts.not_after - facts.not_before == 30 * 24 * 3600 + 3600);
  CHECK_FALSE(facts.serial.empty());
  CHECK(values_of(facts.subject_parts, "CN") == std::vector<std::string_view>{"SN-1, of host 7"});
}

TEST_CASE("values with control characters are left out") {
  http_fixture f;
  certificate_wish wish;
  wish.common_name = std::string("SN-1\0.evil", 10);
  CHECK(values_of(identity_of(f.ca.issue("odd", wish))->certificate()->subject_parts, "CN").empty());
}

TEST_CASE("both ends of a request report certificate and anchor") {
  http_fixture f;
  const auto [by_server, by_client] = see(f, f.client_files);
  const auto server = f.server_identity, client = identity_of(f.client_files);
  REQUIRE(by_server.certificate);
  REQUIRE(by_client.certificate);
  CHECK(by_server.certificate->fingerprint == client->fingerprint());
  CHECK(by_client.certificate->fingerprint == server->fingerprint());
  CHECK(by_server.own_fingerprint == server->fingerprint());
  CHECK(by_client.own_fingerprint == client->fingerprint());
  for (const auto& peer : {by_server, by_client}) {
    REQUIRE(peer.anchor);
    CHECK(peer.anchor->fingerprint == server->anchor()->fingerprint);
    CHECK(peer.anchor->subject == "OU=Swarm-Learning, CN=CA-1");
  }
}

TEST_CASE("the anchor of a chain with an intermediate authority is the one that is trusted") {
  http_fixture f;
  const auto between = f.ca.intermediate("CA-1-b");
  auto files = between.issue("sl-9");
  SUBCASE("the root") {
    files.cacert = f.ca.ca_file();
    CHECK(see(f, files).by_server.anchor->subject == "OU=Swarm-Learning, CN=CA-1");
  }
  SUBCASE("the intermediate itself") { // its owner's own files; the server's are another
    CHECK(identity_of(files)->anchor()->subject == "OU=Swarm-Learning, CN=CA-1-b");
  }
}

TEST_CASE("a resumed session reports the same") {
  http_fixture f;
  std::vector<peer_info> peers;
  f.serve([&](const http_request& request, const http_reply& reply) {
    peers.push_back(request.peer);
    auto response = text_response(200, "x");
    reply(std::move(response));
  });
  http_client_options options;
  options.idle_timeout = milliseconds{1};
  http_client client(f.io, identity_of(f.client_files), options);
  const auto ask = [&] {
    waiting_for<result<http_response>> done;
    client.request("127.0.0.1", f.server->port(), {}, [&](auto how) { done.set(std::move(how)); });
    REQUIRE(done.get());
  };
  ask();
  REQUIRE(eventually([&] { return f.server->status().connections == 0; }));
  ask();
  CHECK(client.totals().sessions_resumed == 1);
  REQUIRE(peers.size() == 2);
  CHECK(peers[1].certificate->fingerprint == peers[0].certificate->fingerprint);
  CHECK(peers[1].anchor->fingerprint == peers[0].anchor->fingerprint);
}

TEST_CASE("a WebSocket reports the same") {
  ws_fixture f;
  waiting_for<peer_info> server_saw, client_saw;
  f.serve([&](const std::shared_ptr<ws_session>& session, const std::string&, const peer_info& peer) {
    server_saw.set(peer);
    session->start({});
  });
  ws_callbacks callbacks;
  callbacks.on_open = [&](const peer_info& peer) { client_saw.set(peer); };
  const auto session = f.dial(std::move(callbacks));
  CHECK(server_saw.get().certificate->subject == "OU=Swarm-Learning, CN=sl-1");
  const auto server = client_saw.get();
  CHECK(server.certificate->subject == "OU=Swarm-Learning, CN=sn-1");
  CHECK(server.anchor->subject == "OU=Swarm-Learning, CN=CA-1");
}

} // namespace certificate_facts_test
