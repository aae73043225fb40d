#include "base/testing/wording.hpp"
#include "transport/ws/testing/ws_fixture.hpp"

namespace websocket_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;
using std::chrono::milliseconds;
using namespace swarm::transport::test;
using swarm::testing::says;

TEST_CASE("text and binary messages go both ways") {
  ws_fixture f;
  waiting_for<std::pair<std::string, peer_info>> accepted;
  f.serve([&](const std::shared_ptr<ws_session>& session, const std::string& target, const peer_info& peer) {
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
  CHECK(says(why, "closed by this side: 1000 enough"));
  CHECK_FALSE(session->send_text("late"));
  CHECK_FALSE(session->status().open);
  CHECK(eventually([&] { return f.server->status().connections == 0; }));
  CHECK(client.opened == 1);
  CHECK(client.closes == 1);
}

TEST_CASE("many messages from many threads arrive, each thread's in order") {
  ws_fixture f;
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
  ws_fixture f;
  f.serve([](const std::shared_ptr<ws_session>& session, const std::string&, const peer_info&) {
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
  CHECK(says(why, "closed by the other side: 1008 not wanted"));
  CHECK(client.count() == 10);
}

TEST_CASE("the outgoing queue is bounded") {
  ws_fixture f;
  waiting_for<std::shared_ptr<ws_session>> accepted;
  http_server_options options;
  options.ws.send_queue_messages_max = 8;
  options.ws.send_queue_bytes_max = 4 * 1024 * 1024;
  f.serve(
      [&](const std::shared_ptr<ws_session>& session, const std::string&, const peer_info&) {
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
  CHECK(says(last.error(), "does not keep up"));
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
  ws_fixture f;
  auto server_heard = std::make_shared<heard>();
  http_server_options server;
  server.ws = std::move(options);
  f.serve([&](const std::shared_ptr<ws_session>& session, const std::string&,
              const peer_info&) { session->start(server_heard->callbacks()); },
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

} // namespace websocket_test
