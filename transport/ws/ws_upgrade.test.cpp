#include "base/testing/wording.hpp"
#include "transport/http/testing/http_fixture.hpp"
#include "transport/ws/testing/ws_fixture.hpp"

#include <sys/socket.h>
#include <unistd.h>

namespace ws_upgrade_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;

constexpr std::string_view upgrade_head =
    "GET /feed HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
    "13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A server that takes a WebSocket up only with a header, and echoes.
struct choosy : ws_fixture {
  void serve_choosy(http_server_options options = {}) {
    options.on_upgrade = [](const http_request& request) -> std::variant<http_response, ws_taker> {
      if (find_header(request.headers, "X-Pass") != "yes")
        return text_response(403, request.method + " " + request.target
                                      + (request.peer.has_tls ? " tls" : " plain"));
      return [](const std::shared_ptr<ws_session>& session) {
        ws_callbacks callbacks;
        callbacks.on_message = [session](ws_message message) {
          (void)session->send(shared_slice::of(std::move(message.data)), message.text);
        };
        session->start(std::move(callbacks));
      };
    };
    serve([](const auto&...) { FAIL("the handler of upgrades comes first"); }, std::move(options));
  }
};

TEST_CASE("who decides about upgrades sees the request, and may answer in their place") {
  choosy f;
  f.serve_choosy();
  auto refused = raw_tls::connect(f.server->port(), f.client_files);
  refused.write(std::string(upgrade_head) + "\r\n");
  const auto answer = refused.read_answer();
  CHECK(answer.has("403"));
  CHECK(answer.body == "GET /feed tls");
  auto taken = raw_tls::connect(f.server->port(), f.client_files);
  taken.write(std::string(upgrade_head) + "X-Pass: yes\r\n\r\n");
  CHECK(has(taken.read_until("\r\n\r\n"), "101 Switching Protocols"));
  taken.write(frame(0x81, "hello"));
  CHECK(taken.read_exactly(7) == std::string("\x81\x05") + "hello");
}

TEST_CASE("a client without a certificate is served where that is allowed, and nowhere else") {
  for (const bool optional : {true, false}) {
    CAPTURE(optional);
    http_fixture f;
    f.serve(
        [](const http_request& request, const http_reply& reply) {
          reply(text_response(200, request.peer.has_proof() ? "known" : "unknown"));
        },
        {.certificates_optional = optional});
    auto stranger = raw_tls::connect(f.server->port(), std::nullopt);
    stranger.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    if (optional)
      CHECK(stranger.read_answer().body == "unknown");
    else
      CHECK(stranger.read_to_end().empty());
    auto known = raw_tls::connect(f.server->port(), f.client_files);
    known.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(known.read_answer().body == "known");
    const authority other(f.folder.path(), "CA-2");
    auto foreign = raw_tls::connect(f.server->port(), other.issue("intruder"));
    foreign.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(foreign.read_to_end().empty()); // one that leads nowhere is no better than before
  }
}

TEST_CASE("a WebSocket without TLS, for those who may") {
  choosy f;
  f.serve_choosy({.plain = plain_http::this_host});
  const auto socket = connect_tcp(f.server->port());
  REQUIRE(socket >= 0);
  const auto say = [&](const std::string& text) {
    CHECK(::send(socket, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  };
  const auto hear = [&](std::string_view end) {
    std::string heard;
    while (!heard.ends_with(end)) {
      char piece[256];
      const auto size = ::recv(socket, piece, sizeof piece, 0);
      REQUIRE(size > 0);
      heard.append(piece, static_cast<std::size_t>(size));
    }
    return heard;
  };
  say(std::string(upgrade_head) + "X-Pass: yes\r\n\r\n");
  CHECK(has(hear("\r\n\r\n"), "101 Switching Protocols"));
  say(frame(0x81, "one") + frame(0x82, "two"));
  hear(std::string("\x81\x03one\x82\x03two", 10));
  say(frame(0x88, std::string("\x03\xe8", 2)));
  CHECK(read_plain_to_end(socket) == std::string("\x88\x02\x03\xe8", 4));
  CHECK(eventually([&] { return f.server->status().connections == 0; }));
}

TEST_CASE("a session that is dropped ends at once, whatever waits to be sent") {
  ws_fixture f;
  waiting_for<std::shared_ptr<ws_session>> accepted;
  waiting_for<error> closed;
  f.serve([&](const std::shared_ptr<ws_session>& session, const std::string&, const peer_info&) {
    ws_callbacks callbacks;
    callbacks.on_close = [&](error why) { closed.set(std::move(why)); };
    session->start(std::move(callbacks));
    accepted.set(session);
  });
  auto client = f.raw(); // reads nothing
  const auto session = accepted.get();
  const auto owner = std::make_shared<const std::string>(1 << 20, 'x');
  while (session->send({owner, as_bytes(*owner)}, false))
    if (session->status().queued_bytes > (32 << 20)) break;
  session->drop("it reads too slowly");
  const auto why = closed.get();
  CHECK(why.is(net_errc::closed));
  CHECK(swarm::testing::says(why, "it reads too slowly"));
  CHECK_FALSE(session->status().open);
  CHECK(eventually([&] { return owner.use_count() == 1; })); // nothing is kept
  session->drop("again");
}

} // namespace ws_upgrade_test
