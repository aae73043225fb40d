#include "base/testing/wording.hpp"
#include "transport/ws/testing/ws_fixture.hpp"

#include <utility>

namespace ws_misuse_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;
using std::chrono::milliseconds;
using namespace swarm::transport::test;
using swarm::testing::says;

TEST_CASE("too large messages end the connection") {
  ws_fixture f;
  waiting_for<error> server_side;
  http_server_options options;
  options.ws.message_bytes_max = 1000;
  f.serve(
      [&](const std::shared_ptr<ws_session>& session, const std::string&, const peer_info&) {
        ws_callbacks callbacks;
        callbacks.on_close = [&](error why) { server_side.set(std::move(why)); };
        session->start(std::move(callbacks));
      },
      options);
  const auto client_kept = std::make_shared<heard>();
  auto& client = *client_kept;
  auto session = f.dial(client.callbacks());
  client.open.get();
  REQUIRE(session->send_text(std::string(1000, 'x')));
  REQUIRE(session->send_text(std::string(1001, 'x')));
  auto why = server_side.get();
  CAPTURE(why.message);
  CHECK(why.is(net_errc::limit));
  CHECK(says(why, "more than 1000 bytes"));
  CHECK(says(client.closed.get(), "1009"));
}

TEST_CASE("fragments make one message, pings between them are answered") {
  ws_fixture f;
  f.serve_echo();
  auto client = f.raw();
  client.write(frame(0x01, "one ") + frame(0x89, "are you there?") + frame(0x00, "two ")
               + frame(0x80, "three"));
  CHECK(client.read_exactly(16) == std::string("\x8a\x0e") + "are you there?");
  CHECK(client.read_exactly(15) == std::string("\x81\x0d") + "one two three");
  client.write(frame(0x82, "") + frame(0x8a, "a pong that nobody asked for") + frame(0x81, "x"));
  CHECK(client.read_exactly(5) == std::string("\x82\x00\x81\x01x", 5));
}

TEST_CASE("a large message in small fragments ends the connection, too") {
  ws_fixture f;
  http_server_options options;
  options.ws.message_bytes_max = 1000;
  watched server;
  f.serve(server.acceptor(), options);
  auto client = f.raw();
  client.write(frame(0x02, std::string(100, 'x')));
  while (client.write(frame(0x00, std::string(100, 'x'))) && !server.closed.ready()) {
    // never the last fragment
  }
  auto why = server.closed.get();
  CAPTURE(why.message);
  CHECK(why.is(net_errc::limit));
  CHECK(server.messages == 0);
}

TEST_CASE("an announced giant is refused before it is held") {
  ws_fixture f;
  http_server_options options;
  options.ws.message_bytes_max = 1000;
  watched server;
  f.serve(server.acceptor(), options);
  auto client = f.raw();
  client.write(std::string("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14) + std::string(5000, 'x'));
  CHECK(client.read_exactly(33) == std::string("\x88\x1f\x03\xf1") + "a message may have 1000 bytes");
  client.shut();
  auto why = server.closed.get();
  CAPTURE(why.message);
  CHECK(why.is(net_errc::limit));
  CHECK(server.messages == 0);
}

TEST_CASE("who breaks the protocol is told how, and named") {
  struct row {
    std::string what;
    std::string sent;
    unsigned code;
  };
  const row rows[] = {
      {"not masked", std::string("\x81\x01x", 3), 1002},
      {"reserved bits", frame(0xf1, "x"), 1002},
      {"unknown opcode", frame(0x83, "x"), 1002},
      {"a continuation of nothing", frame(0x80, "x"), 1002},
      {"a new message within another", frame(0x01, "x") + frame(0x81, "y"), 1002},
      {"a fragmented ping", frame(0x09, "x"), 1002},
      {"a ping that is too long", std::string("\x89\xfe\x00\x7e\0\0\0\0", 8) + std::string(126, 'x'), 1002},
      {"text that is not UTF-8", frame(0x81, "\xc3\x28"), 1007},
      {"a close code that nobody may send", frame(0x88, std::string("\x03\xed", 2)), 1002},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    ws_fixture f;
    watched server;
    f.serve(server.acceptor());
    auto client = f.raw();
    client.write(row.sent);
    auto answer = client.read_exactly(4);
    REQUIRE(answer.size() == 4);
    CHECK(answer[0] == '\x88');
    CHECK((static_cast<unsigned char>(answer[2]) << 8 | static_cast<unsigned char>(answer[3]))
          == static_cast<int>(row.code));
    client.shut();
    auto why = server.closed.get();
    CAPTURE(why.message);
    CHECK(why.is(net_errc::lost));
    CHECK(says(why, "127.0.0.1:"));
    CHECK(says(why, "broke the WebSocket protocol"));
    CHECK(server.messages == 0);
  }
}

TEST_CASE("dead peers are noticed, living silent ones are kept") {
  ws_fixture f;
  waiting_for<error> server_side;
  http_server_options options;
  options.ws.ping_interval = milliseconds{20};
  options.ws.dead_after = milliseconds{200};
  f.serve(
      [&](const std::shared_ptr<ws_session>& session, const std::string&, const peer_info&) {
        ws_callbacks callbacks;
        callbacks.on_close = [&](error why) { server_side.set(std::move(why)); };
        session->start(std::move(callbacks));
      },
      options);
  SUBCASE("dead") {
    auto client = f.raw(); // answers no ping
    auto why = server_side.get();
    CHECK(why.is(net_errc::timeout));
    CHECK(says(why, "no byte for"));
    CHECK(says(why, "ping"));
  }
  SUBCASE("silent") {
    const auto client_kept = std::make_shared<heard>();
    auto& client = *client_kept;
    auto session = f.dial(client.callbacks());
    client.open.get();
    auto opened = std::chrono::steady_clock::now();
    // Five times as long as a dead one is given, with nothing but pings.
    REQUIRE(eventually([&] { return std::chrono::steady_clock::now() - opened > milliseconds{1000}; }));
    CHECK_FALSE(server_side.ready());
    CHECK(session->send_text("still here"));
    session->close();
    CHECK(server_side.get().is(net_errc::closed));
  }
  SUBCASE("vanished") {
    { auto client = f.raw(); }
    CHECK(server_side.get().is(net_errc::lost));
  }
}

TEST_CASE("a session that nobody takes up is closed") {
  ws_fixture f;
  http_server_options options;
  options.ws.ping_interval = milliseconds{20};
  options.ws.dead_after = milliseconds{100};
  waiting_for<std::shared_ptr<ws_session>> accepted;
  f.serve([&](std::shared_ptr<ws_session> session, const std::string&,
              const peer_info&) { accepted.set(std::move(session)); },
          options);
  const auto client_kept = std::make_shared<heard>();
  auto& client = *client_kept;
  auto session = f.dial(client.callbacks());
  CHECK(client.closed.get().is(net_errc::lost));
  // A session that is started too late is told so.
  const auto late_kept = std::make_shared<heard>();
  auto& late = *late_kept;
  REQUIRE(eventually([&] { return f.server->status().connections == 0; }));
  accepted.get()->start(late.callbacks());
  CHECK(late.closed.get().is(net_errc::lost));
  CHECK(late.closes == 1);
}

TEST_CASE("a client that cannot connect is told once") {
  ws_fixture f;
  const auto client_kept = std::make_shared<heard>();
  auto& client = *client_kept;
  SUBCASE("nobody there") {
    std::uint16_t port = 0;
    {
      port = raw_listener([](int) {}).port();
    }
    ws_connect(f.io, f.client_identity, "127.0.0.1", port, "/", {}, client.callbacks());
    auto why = client.closed.get();
    CHECK(why.is(net_errc::connect));
    CHECK(says(why, fmt::format("127.0.0.1:{}: connect:", port)));
  }
  SUBCASE("no WebSocket there") {
    f.serve({});
    auto session = f.dial(client.callbacks());
    auto why = client.closed.get();
    CHECK(why.is(net_errc::http_status));
    CHECK(says(why, "/ws is no WebSocket there: status 404"));
  }
  SUBCASE("closed before it is open") {
    waiting_for<bool> over;
    raw_listener silent([&](int) { over.get(); });
    auto session =
        ws_connect(f.io, f.client_identity, "127.0.0.1", silent.port(), "/", {}, client.callbacks());
    session->close();
    auto why = client.closed.get();
    CHECK(why.is(net_errc::cancelled));
    over.set(true);
  }
  CHECK(client.opened == 0);
  CHECK(client.closes == 1);
}

TEST_CASE("a server that stops says goodbye to WebSockets") {
  ws_fixture f;
  f.serve_echo();
  const auto client_kept = std::make_shared<heard>();
  auto& client = *client_kept;
  auto session = f.dial(client.callbacks());
  client.open.get();
  f.server->stop();
  auto why = client.closed.get();
  CHECK(why.is(net_errc::closed));
  CHECK(says(why, "1001"));
  CHECK(f.server->status().websockets == 0);
}

TEST_CASE("sessions may outlive the runtime") {
  temp_folder folder;
  authority ca(folder.path(), "CA-1");
  auto self = identity_of(ca.issue("sn-1"));
  std::shared_ptr<ws_session> ours, theirs;
  std::vector<ws_message> kept;
  waiting_for<bool> received;
  {
    io_runtime io(2);
    auto server = http_server::start(
        io, self, {.address = "127.0.0.1"}, [](const http_request&, const http_reply&) {},
        [&](const std::shared_ptr<ws_session>& session, const std::string&, const peer_info&) {
          theirs = session;
          ws_callbacks callbacks;
          callbacks.on_message = [&](ws_message message) {
            kept.push_back(std::move(message));
            received.set(true);
          };
          session->start(std::move(callbacks));
        });
    REQUIRE(server);
    const auto client_kept = std::make_shared<heard>();
    auto& client = *client_kept;
    ours = ws_connect(io, self, "127.0.0.1", (*server)->port(), "/", {}, client.callbacks());
    client.open.get();
    REQUIRE(ours->send_text("x"));
    received.get();
    io.stop();
  }
  (void)ours->send_text("x");
  (void)theirs->send_text("x");
  ours->close();
  theirs->close();
  kept.clear();
}

} // namespace ws_misuse_test
