// Handshakes that fail, seen from both sides, and those that must not.
#include "base/testing/wording.hpp"
#include "transport/http/http_client.hpp"
#include "transport/http/http_server.hpp"
#include "transport/testing/test_support.hpp"
#include "transport/ws/websocket.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

namespace tls_handshake_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;
using swarm::testing::says;

namespace {

tls_files trusting(tls_files files, const std::filesystem::path& cacert) {
  files.cacert = cacert;
  return files;
}

struct fixture {
  temp_folder folder;
  authority ca{folder.path() / "a", "CA-1"};
  authority foreign{folder.path() / "b", "CA-2"};
  io_runtime io{2};
  std::unique_ptr<http_server> server;

  void serve(const tls_files& files) {
    http_server_options options;
    options.address = "127.0.0.1";
    auto started = http_server::start(io, identity_of(files), options,
                                      [](const http_request& request, const http_reply& reply) {
                                        reply(text_response(200, request.peer.cert_subject));
                                      });
    if (!started) throw std::runtime_error(started.error().message);
    server = std::move(*started);
  }
  result<http_response> ask(const tls_files& files, const std::string& host = "127.0.0.1") {
    http_client client(io, identity_of(files));
    waiting_for<result<http_response>> done;
    client.request(host, server->port(), {}, [&](auto how) { done.set(std::move(how)); });
    return done.get();
  }
  /// What the server says about the last handshake that failed.
  std::string server_words() {
    eventually([&] { return server->status().handshake_failures > 0; });
    return server->status().last_handshake_failure;
  }
  /// All CAs of this fixture in one file, for the side that trusts everybody.
  std::filesystem::path both() {
    auto file = folder.path() / "both.pem";
    write_file(file, read_file(ca.ca_file()) + read_file(foreign.ca_file()));
    return file;
  }
};

void refused(const result<http_response>& how, std::initializer_list<std::string_view> parts) {
  REQUIRE_FALSE(how);
  CAPTURE(how.error().message);
  CHECK(how.error().is(net_errc::handshake));
  for (auto part : parts) {
    CAPTURE(part);
    CHECK(says(how.error(), part));
  }
}

} // namespace

TEST_CASE("both sides present a certificate") {
  fixture f;
  f.serve(f.ca.issue("sn-1"));
  auto how = f.ask(f.ca.issue("sl-1"));
  REQUIRE(how);
  CHECK(how->body == "OU=Swarm-Learning, CN=sl-1");
}

TEST_CASE("certificates of the original's profile shake hands with each other and with ours") {
  fixture f;
  f.serve(f.ca.issue("sn-1", original_wish("SN-1")));
  CHECK(f.ask(f.ca.issue("sl-1", original_wish("SL-1"))));
  certificate_wish modern;
  modern.extended_key_usage = "serverAuth,clientAuth";
  modern.key_usage = "critical,digitalSignature";
  CHECK(f.ask(f.ca.issue("sl-2", modern)));
}

TEST_CASE("CAs of several organisations") {
  fixture f;
  f.serve(trusting(f.ca.issue("sn-1"), f.both()));
  CHECK(f.ask(trusting(f.foreign.issue("sl-1"), f.both())));
  CHECK(f.ask(f.ca.issue("sl-2")));
}

TEST_CASE("the server does not know the client's CA") {
  fixture f;
  f.serve(f.ca.issue("sn-1"));
  auto how = f.ask(trusting(f.foreign.issue("sl-9"), f.both()));
  refused(how, {fmt::format("127.0.0.1:{}", f.server->port()), "refused this node's certificate",
                "does not know the CA of our certificate", "CN=sl-9"});
  auto words = f.server_words();
  CAPTURE(words);
  CHECK(says(words, "peer 127.0.0.1:"));
  CHECK(says(words, "presented a certificate from an unknown CA: OU=Swarm-Learning, CN=sl-9"));
  CHECK(says(words, "CN=CA-2"));
  CHECK(says(words, "--cacert or --capath"));
}

TEST_CASE("the client does not know the server's CA") {
  fixture f;
  f.serve(trusting(f.ca.issue("sn-1"), f.both()));
  auto how = f.ask(f.foreign.issue("sl-9"));
  refused(how, {"handshake:", "presented a certificate from an unknown CA: OU=Swarm-Learning, CN=sn-1",
                "CN=CA-1", "--cacert or --capath"});
  auto words = f.server_words();
  CAPTURE(words);
  CHECK(says(words,
             "refused this node's certificate or handshake: it does not know the CA of our certificate"));
  CHECK(says(words, "CN=sn-1"));
}

TEST_CASE("WebSocket clients tell the same") {
  fixture f;
  f.serve(f.ca.issue("sn-1"));
  waiting_for<error> why;
  auto dial = [&](const tls_files& files) {
    ws_callbacks callbacks;
    callbacks.on_close = [&](error e) { why.set(std::move(e)); };
    return ws_connect(f.io, identity_of(files), "127.0.0.1", f.server->port(), "/", {}, std::move(callbacks));
  };
  auto session = dial(trusting(f.foreign.issue("sl-9"), f.both()));
  auto reason = why.get();
  CAPTURE(reason.message);
  CHECK(reason.is(net_errc::handshake));
  CHECK(says(reason, "does not know the CA of our certificate"));
}

TEST_CASE("certificates whose time is over or has not come") {
  fixture f;
  certificate_wish past, future;
  past.begins = -7200;
  past.ends = -3600;
  future.begins = 3600;
  future.ends = 7200;
  auto old_files = f.ca.issue("old", past);
  auto young_files = f.ca.issue("young", future);

  SUBCASE("client, expired") {
    f.serve(f.ca.issue("sn-1"));
    auto client = raw_tls::connect(f.server->port(), old_files);
    CHECK(client.read_to_end().empty());
    auto words = f.server_words();
    CAPTURE(words);
    CHECK(says(words, "presented a certificate that has expired: OU=Swarm-Learning, CN=old (ended 20"));
  }
  SUBCASE("client, not yet valid") {
    f.serve(f.ca.issue("sn-1"));
    auto client = raw_tls::connect(f.server->port(), young_files);
    CHECK(client.read_to_end().empty());
    auto words = f.server_words();
    CAPTURE(words);
    CHECK(says(words, "that is not valid yet: OU=Swarm-Learning, CN=young (begins 20"));
  }
  SUBCASE("server") {
    for (const auto* files : {&old_files, &young_files}) {
      raw_listener listener([&](int fd) { raw_tls::accept(fd, *files).read_to_end(); });
      http_client client(f.io, identity_of(f.ca.issue("sl-1")));
      waiting_for<result<http_response>> done;
      client.request("127.0.0.1", listener.port(), {}, [&](auto how) { done.set(std::move(how)); });
      bool is_old = files == &old_files;
      refused(done.get(),
              {is_old ? "that has expired" : "that is not valid yet", is_old ? "CN=old" : "CN=young"});
    }
  }
}

TEST_CASE("clients that are none") {
  fixture f;
  f.serve(f.ca.issue("sn-1"));
  SUBCASE("no certificate") {
    auto client = raw_tls::connect(f.server->port(), std::nullopt);
    CHECK(client.read_to_end().empty());
    CHECK(says(f.server_words(), "presented no certificate"));
  }
  SUBCASE("no certificate, TLS 1.2") {
    CHECK_FALSE(raw_tls::connect(f.server->port(), std::nullopt, TLS1_2_VERSION).shaken());
    CHECK(says(f.server_words(), "presented no certificate"));
  }
  SUBCASE("plain HTTP") {
    auto fd = connect_tcp(f.server->port());
    std::string text = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    CHECK(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    read_plain_to_end(fd);
    ::close(fd);
    CHECK(says(f.server_words(), "speaks plain HTTP, this port wants https"));
  }
  SUBCASE("noise") {
    auto fd = connect_tcp(f.server->port());
    std::string text = "SSH-2.0-OpenSSH_9.2p1 and some more\r\n";
    CHECK(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    read_plain_to_end(fd);
    ::close(fd);
    CHECK(says(f.server_words(), "does not speak TLS"));
  }
  SUBCASE("gone in the middle") {
    ::close(connect_tcp(f.server->port()));
    CHECK(says(f.server_words(), "closed the connection in the middle of the TLS handshake"));
  }
  SUBCASE("too old") {
    CHECK_FALSE(raw_tls::connect(f.server->port(), f.ca.issue("sl-1"), TLS1_1_VERSION).shaken());
    CHECK(says(f.server_words(), "speaks no TLS version from 1.2 on"));
  }
  auto how = f.ask(f.ca.issue("sl-2"));
  CHECK(how); // nobody else suffers
}

TEST_CASE("TLS 1.2 is enough") {
  fixture f;
  f.serve(f.ca.issue("sn-1"));
  auto client = raw_tls::connect(f.server->port(), f.ca.issue("sl-1"), TLS1_2_VERSION);
  REQUIRE(client.shaken());
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(client.read_answer().body == "OU=Swarm-Learning, CN=sl-1");
}

TEST_CASE("host names are checked on request, against certificates that have some") {
  fixture f;
  auto checking = f.ca.issue("sl-1");
  checking.verify_host = true;
  auto serve_with = [&](const std::string& alt_names) {
    f.server.reset();
    certificate_wish wish;
    wish.alt_names = alt_names;
    f.serve(f.ca.issue("sn-1", wish));
  };
  serve_with("DNS:sn.example.org,IP:10.9.8.7");
  CHECK(f.ask(f.ca.issue("sl-2")));
  refused(f.ask(checking),
          {"of another host", "CN=sn-1", "DNS:sn.example.org, IP:10.9.8.7", "not for 127.0.0.1"});
  CHECK(says(f.server_words(), "refused this node's certificate"));
  refused(f.ask(checking, "localhost"), {"not for localhost"});
  serve_with("IP:127.0.0.1");
  CHECK(f.ask(checking));
  serve_with("DNS:localhost");
  CHECK(f.ask(checking, "localhost"));
  serve_with("");
  CHECK(f.ask(checking));
  serve_with("URI:spiffe://org1/sn");
  CHECK(f.ask(checking));
}

TEST_CASE("the server name is sent for names, not for addresses") {
  fixture f;
  auto files = f.ca.issue("sn-1");
  waiting_for<std::string> name;
  raw_listener listener([&](int fd) {
    auto tls = raw_tls::accept(fd, files);
    name.set(tls.server_name());
    tls.read_until("\r\n\r\n");
    tls.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  });
  for (auto* host : {"localhost", "127.0.0.1"}) {
    http_client client(f.io, identity_of(f.ca.issue("sl-1")));
    waiting_for<result<http_response>> done;
    client.request(host, listener.port(), {}, [&](auto how) { done.set(std::move(how)); });
    REQUIRE(done.get());
    CHECK(name.get() == (std::string(host) == "localhost" ? "localhost" : ""));
  }
}

} // namespace tls_handshake_test
