#include "base/testing/wording.hpp"
#include "transport/http/testing/http_fixture.hpp"

#include <unistd.h>

namespace http_sharing_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;
using swarm::testing::says;

namespace {

/// A server whose clients come from one authority.
struct fixture : http_fixture {
  raw_tls connect() const { return raw_tls::connect(server->port(), client_files); }
};

/// Whether a connection is served.
bool is_served(raw_tls& client) {
  return client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n") && client.read_answer().has("200");
}

} // namespace

TEST_CASE("connections are limited in all") {
  fixture f;
  f.serve(echo, {.connections_max = 2});
  {
    auto a = f.connect();
    auto b = f.connect();
    CHECK(is_served(a));
    CHECK(is_served(b));
    auto c = f.connect();
    CHECK_FALSE(is_served(c));
    CHECK(f.server->status().refused == 1);
    CHECK(eventually([&] { return f.server->status().connections == 2; }));
    CHECK(says(f.server->status().last_over_share, "CA-1"));
    CHECK(is_served(a));
    CHECK(is_served(b));
  }
  REQUIRE(eventually([&] { return f.server->status().connections == 0; }));
  auto d = f.connect();
  CHECK(is_served(d));
}

TEST_CASE("another organisation takes the newest connection of who has most, another certificate does not") {
  fixture f;
  std::filesystem::create_directory(f.folder.path() / "other");
  authority other(f.folder.path() / "other", "CA-2");
  f.server_files.cacert = f.folder.path() / "both.pem";
  std::ofstream(f.server_files.cacert) << read_file(f.ca.ca_file()) << read_file(other.ca_file());
  f.server_identity = identity_of(f.server_files);
  f.serve(echo, {.connections_max = 3});
  auto a = f.connect(), b = f.connect();
  CHECK(is_served(a));
  CHECK(is_served(b));
  auto c = raw_tls::connect(f.server->port(), f.ca.issue("sl-2"));
  CHECK(is_served(c));
  auto d = raw_tls::connect(f.server->port(), other.issue("sl-3"));
  CHECK(is_served(d));
  CHECK(b.read_to_end().empty());
  CHECK(is_served(a));
  CHECK(is_served(c));
  CHECK(f.server->status().displaced == 1);
  CHECK(says(f.server->status().last_over_share, "CA-1"));
}

TEST_CASE("all connections of one certificate can be ended, and no other") {
  fixture f;
  f.serve(echo, {});
  auto a = f.connect(), b = f.connect();
  auto c = raw_tls::connect(f.server->port(), f.ca.issue("sl-2"));
  for (auto* each : {&a, &b, &c})
    CHECK(is_served(*each));
  const auto ended = identity_of(f.client_files)->fingerprint();
  CHECK(f.server->certificates().size() == 2);
  CHECK(f.server->end_all_of(ended, "it was removed") == 2);
  CHECK(a.read_to_end().empty());
  CHECK(b.read_to_end().empty());
  CHECK(is_served(c));
  CHECK(eventually([&] { return f.server->certificates().size() == 1; }));
  CHECK(f.server->end_all_of(ended, "it was removed") == 0);
}

TEST_CASE("connections without a handshake make room for others, and none that is established does") {
  fixture f;
  f.serve(echo, {.handshakes_max = 4});
  auto established = f.connect();
  CHECK(is_served(established));
  std::vector<int> silent;
  for (int i = 0; i < 64; ++i) {
    silent.push_back(connect_tcp(f.server->port()));
    REQUIRE(silent.back() >= 0);
  }
  auto honest = f.connect();
  CHECK(is_served(honest));
  CHECK(is_served(established));
  CHECK(eventually([&] { return f.server->status().connections == 2 + 3; }));
  const auto status = f.server->status();
  CHECK(status.handshakes == 3); // the honest one took the place of a fourth
  CHECK(status.handshakes_displaced == 61);
  CHECK(status.last_handshake_displaced == "127.0.0.1");
  CHECK(status.refused == 0);
  for (const auto fd : silent)
    ::close(fd);
  CHECK(eventually([&] { return f.server->status().handshakes == 0; }));
}

} // namespace http_sharing_test
