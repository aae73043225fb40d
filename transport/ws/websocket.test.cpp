#include "transport/ws/websocket.hpp"

#include "transport/http/http_server.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>

#include <atomic>

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;
using std::chrono::milliseconds;

namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// What a client's callbacks were given. They keep it: the last of them comes when a test may be over.
struct heard : std::enable_shared_from_this<heard> {
  std::mutex mutex;
  std::vector<ws_message> messages;
  std::atomic<int> opened{0};
  waiting_for<peer_info> open;
  waiting_for<error> closed;
  std::atomic<int> closes{0};

  ws_callbacks callbacks(bool keep_credit = true) {
    ws_callbacks out;
    out.on_open = [this, kept = shared_from_this()](const peer_info& peer) {
      ++opened;
      open.set(peer);
    };
    out.on_message = [this, kept = shared_from_this(), keep_credit](ws_message message) {
      if (!keep_credit) message.credit.reset();
      std::lock_guard lock(mutex);
      messages.push_back(std::move(message));
    };
    out.on_close = [this, kept = shared_from_this()](error why) {
      ++closes;
      closed.set(std::move(why));
    };
    return out;
  }
  std::size_t count() {
    std::lock_guard lock(mutex);
    return messages.size();
  }
  ws_message take(std::size_t index) {
    if (!eventually([&] { return count() > index; }))
      throw std::runtime_error("waited in vain for a message");
    std::lock_guard lock(mutex);
    return messages[index];
  }
  void drop_credits() {
    std::lock_guard lock(mutex);
    for (auto& message : messages)
      message.credit.reset();
  }
};

struct fixture {
  temp_folder folder;
  authority ca{folder.path(), "CA-1"};
  tls_files server_files = ca.issue("sn-1");
  tls_files client_files = ca.issue("sl-1");
  std::shared_ptr<const tls_identity> client_identity = identity_of(client_files);
  io_runtime io{2};
  std::unique_ptr<http_server> server;

  void serve(ws_accept accept, http_server_options options = {}) {
    options.address = "127.0.0.1";
    auto started = http_server::start(
        io, identity_of(server_files), options,
        [](http_request, http_reply reply) { reply({.status = 404}); }, std::move(accept));
    if (!started) throw std::runtime_error(started.error().message);
    server = std::move(*started);
  }
  void serve_echo(http_server_options options = {}) {
    serve(
        [](std::shared_ptr<ws_session> session, std::string, peer_info) {
          ws_callbacks callbacks;
          callbacks.on_message = [session](ws_message message) {
            (void)session->send(shared_slice::of(std::move(message.data)), message.text);
          };
          session->start(std::move(callbacks));
        },
        options);
  }
  std::shared_ptr<ws_session> dial(ws_callbacks callbacks, ws_options options = {},
                                   std::string target = "/ws") {
    return ws_connect(io, client_identity, "127.0.0.1", server->port(), std::move(target), std::move(options),
                      std::move(callbacks));
  }
  raw_tls raw() {
    auto client = raw_tls::connect(server->port(), client_files);
    client.write(
        "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
        "13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    CHECK(has(client.read_until("\r\n\r\n"), "101 Switching Protocols"));
    return client;
  }
};

/// A frame as a client sends it, masked with zeros; shorter than 126 bytes.
std::string frame(unsigned char first, const std::string& payload) {
  std::string out{static_cast<char>(first), static_cast<char>(0x80 | payload.size())};
  return out + std::string(4, '\0') + payload;
}

/// A server's side of one connection, which only listens.
struct watched {
  std::atomic<int> messages{0};
  waiting_for<error> closed;
  ws_accept acceptor() {
    return [this](std::shared_ptr<ws_session> session, std::string, peer_info) {
      ws_callbacks callbacks;
      callbacks.on_message = [this](ws_message) { ++messages; };
      callbacks.on_close = [this](error why) { closed.set(std::move(why)); };
      session->start(std::move(callbacks));
    };
  }
};

} // namespace

TEST_CASE("text and binary messages go both ways") {
  fixture f;
  waiting_for<std::pair<std::string, peer_info>> accepted;
  f.serve([&](std::shared_ptr<ws_session> session, std::string target, peer_info peer) {
    accepted.set({target, peer});
    ws_callbacks callbacks;
    callbacks.on_message = [session](ws_message message) {
      (void)session->send(shared_slice::of(std::move(message.data)), message.text);
    };
    session->start(std::move(callbacks));
  });
  const auto client_kept = std::make_shared<heard>();
  auto& client = *client_kept;
  auto session = f.dial(client.callbacks(), {}, "/events?x=1");
  CHECK(client.open.get().cert_subject == "OU=Swarm-Learning, CN=sn-1");
  auto [target, peer] = accepted.get();
  CHECK(target == "/events?x=1");
  CHECK(peer.cert_subject == "OU=Swarm-Learning, CN=sl-1");
  REQUIRE(session->send_text("hello"));
  REQUIRE(session->send_binary({1, 2, 3}));
  REQUIRE(session->send_text(""));
  auto first = client.take(0), second = client.take(1), third = client.take(2);
  CHECK(first.text);
  CHECK(first.as_text() == "hello");
  CHECK_FALSE(second.text);
  CHECK(second.data == bytes{1, 2, 3});
  CHECK(third.data.empty());
  bytes large(5'000'000);
  for (std::size_t i = 0; i < large.size(); ++i)
    large[i] = static_cast<std::uint8_t>(i * 131 >> 3);
  REQUIRE(session->send_binary(large));
  CHECK((client.take(3).data == large));
  CHECK(f.server->status().websockets == 1);
  CHECK(session->status().messages_sent == 4);
  CHECK(session->status().messages_received == 4);
  CHECK(session->status().open);

  session->close(ws_close_code::normal, "enough");
  auto why = client.closed.get();
  CHECK(why.is(net_errc::closed));
  CHECK(has(why.message, "closed by this side: 1000 enough"));
  CHECK_FALSE(session->send_text("late"));
  CHECK_FALSE(session->status().open);
  CHECK(eventually([&] { return f.server->status().connections == 0; }));
  CHECK(client.opened == 1);
  CHECK(client.closes == 1);
}

TEST_CASE("many messages from many threads arrive, each thread's in order") {
  fixture f;
  f.serve_echo();
  const auto client_kept = std::make_shared<heard>();
  auto& client = *client_kept;
  auto session = f.dial(client.callbacks(false), {.send_queue_messages_max = 100'000});
  client.open.get();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        while (!session->send_text(fmt::format("{} {}", t, i)))
          std::this_thread::yield();
      }
    });
  for (auto& thread : threads)
    thread.join();
  REQUIRE(eventually([&] { return client.count() == 2000; }));
  int next[4] = {};
  for (const auto& message : client.messages) {
    auto t = static_cast<std::size_t>(message.data[0] - '0');
    CHECK(message.as_text() == fmt::format("{} {}", t, next[t]));
    ++next[t];
  }
}

TEST_CASE("the server closes with a reason, queued messages first") {
  fixture f;
  f.serve([](std::shared_ptr<ws_session> session, std::string, peer_info) {
    session->start({});
    for (int i = 0; i < 10; ++i)
      CHECK(session->send_text(std::to_string(i)));
    session->close(ws_close_code::policy, "not wanted");
    CHECK_FALSE(session->send_text("late"));
  });
  const auto client_kept = std::make_shared<heard>();
  auto& client = *client_kept;
  auto session = f.dial(client.callbacks());
  auto why = client.closed.get();
  CHECK(why.is(net_errc::closed));
  CHECK(has(why.message, "closed by the other side: 1008 not wanted"));
  CHECK(client.count() == 10);
}

TEST_CASE("the outgoing queue is bounded") {
  fixture f;
  waiting_for<std::shared_ptr<ws_session>> accepted;
  http_server_options options;
  options.ws.send_queue_messages_max = 8;
  options.ws.send_queue_bytes_max = 4 * 1024 * 1024;
  f.serve(
      [&](std::shared_ptr<ws_session> session, std::string, peer_info) {
        session->start({});
        accepted.set(session);
      },
      options);
  auto client = f.raw(); // reads nothing more
  auto session = accepted.get();
  auto message = shared_slice::of(std::string(1024 * 1024, 'x'));
  int sent = 0;
  result<> last;
  // What the system's buffers take is not in the queue, so some more than the bound go out.
  while ((last = session->send(message, false)) && sent < 1000)
    ++sent;
  REQUIRE_FALSE(last);
  CHECK(last.error().is(net_errc::limit));
  CHECK(has(last.error().message, "does not keep up"));
  CHECK(sent < 100);
  auto status = session->status();
  CHECK(status.open);
  CHECK(status.queued_messages <= 8);
  CHECK(status.queued_bytes <= 4 * 1024 * 1024);
  CHECK_FALSE(session->send(shared_slice::of(std::string(5 * 1024 * 1024, 'x')), false));
  // When the client reads again, everything that was accepted arrives.
  std::size_t expected = static_cast<std::size_t>(sent) * (message.data.size() + 10);
  CHECK(client.read_exactly(expected).size() == expected);
  CHECK(eventually([&] { return session->status().queued_messages == 0; }));
  CHECK(session->send_text("again"));
}

void check_a_slow_receiver(ws_options options, std::size_t held_max, std::size_t message_bytes) {
  fixture f;
  auto server_heard = std::make_shared<heard>();
  http_server_options server;
  server.ws = std::move(options);
  f.serve([&](std::shared_ptr<ws_session> session, std::string,
              peer_info) { session->start(server_heard->callbacks()); },
          server);
  const auto client_kept = std::make_shared<heard>();
  auto& client = *client_kept;
  auto session = f.dial(client.callbacks());
  client.open.get();
  for (int i = 0; i < 100; ++i)
    REQUIRE(session->send_text(fmt::format("{:0{}}", i, message_bytes)));
  REQUIRE(eventually(
      [&] { return session->status().queued_messages == 0 && server_heard->count() >= held_max; }));
  CHECK(server_heard->count() == held_max);
  while (server_heard->count() < 100) {
    auto before = server_heard->count();
    server_heard->drop_credits();
    REQUIRE(eventually([&] { return server_heard->count() > before; }));
    CHECK(server_heard->count() <= before + 2 * held_max);
  }
  CHECK(server_heard->take(99).as_text() == fmt::format("{:0{}}", 99, message_bytes));
}

TEST_CASE("a receiver that holds its messages slows the sender down") {
  ws_options options;
  SUBCASE("by their number") {
    options.unhandled_messages_max = 4;
    check_a_slow_receiver(options, 4, 2);
  }
  SUBCASE("by their bytes") {
    options.unhandled_bytes_max = 250;
    check_a_slow_receiver(options, 3, 100);
  }
}

TEST_CASE("too large messages end the connection") {
  fixture f;
  waiting_for<error> server_side;
  http_server_options options;
  options.ws.message_bytes_max = 1000;
  f.serve(
      [&](std::shared_ptr<ws_session> session, std::string, peer_info) {
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
  CHECK(has(why.message, "more than 1000 bytes"));
  CHECK(has(client.closed.get().message, "1009"));
}

TEST_CASE("fragments make one message, pings between them are answered") {
  fixture f;
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
  fixture f;
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
  fixture f;
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
    fixture f;
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
    CHECK(has(why.message, "127.0.0.1:"));
    CHECK(has(why.message, "broke the WebSocket protocol"));
    CHECK(server.messages == 0);
  }
}

TEST_CASE("dead peers are noticed, living silent ones are kept") {
  fixture f;
  waiting_for<error> server_side;
  http_server_options options;
  options.ws.ping_interval = milliseconds{20};
  options.ws.dead_after = milliseconds{200};
  f.serve(
      [&](std::shared_ptr<ws_session> session, std::string, peer_info) {
        ws_callbacks callbacks;
        callbacks.on_close = [&](error why) { server_side.set(std::move(why)); };
        session->start(std::move(callbacks));
      },
      options);
  SUBCASE("dead") {
    auto client = f.raw(); // answers no ping
    auto why = server_side.get();
    CHECK(why.is(net_errc::timeout));
    CHECK(has(why.message, "no byte for"));
    CHECK(has(why.message, "ping"));
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
  fixture f;
  http_server_options options;
  options.ws.ping_interval = milliseconds{20};
  options.ws.dead_after = milliseconds{100};
  waiting_for<std::shared_ptr<ws_session>> accepted;
  f.serve([&](std::shared_ptr<ws_session> session, std::string, peer_info) { accepted.set(session); },
          options);
  const auto client_kept = std::make_shared<heard>();
  auto& client = *client_kept;
  auto session = f.dial(client.callbacks());
  CHECK(client.closed.get().is(net_errc::lost));
  // Taken up too late it says so.
  const auto late_kept = std::make_shared<heard>();
  auto& late = *late_kept;
  REQUIRE(eventually([&] { return f.server->status().connections == 0; }));
  accepted.get()->start(late.callbacks());
  CHECK(late.closed.get().is(net_errc::lost));
  CHECK(late.closes == 1);
}

TEST_CASE("a client that cannot connect is told once") {
  fixture f;
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
    CHECK(has(why.message, fmt::format("127.0.0.1:{}: connect:", port)));
  }
  SUBCASE("no WebSocket there") {
    f.serve({});
    auto session = f.dial(client.callbacks());
    auto why = client.closed.get();
    CHECK(why.is(net_errc::http_status));
    CHECK(has(why.message, "/ws is no WebSocket there: status 404"));
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
  fixture f;
  f.serve_echo();
  const auto client_kept = std::make_shared<heard>();
  auto& client = *client_kept;
  auto session = f.dial(client.callbacks());
  client.open.get();
  f.server->stop();
  auto why = client.closed.get();
  CHECK(why.is(net_errc::closed));
  CHECK(has(why.message, "1001"));
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
        io, self, {.address = "127.0.0.1"}, [](http_request, http_reply) {},
        [&](std::shared_ptr<ws_session> session, std::string, peer_info) {
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
