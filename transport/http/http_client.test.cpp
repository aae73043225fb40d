#include "base/testing/wording.hpp"
#include "transport/http/testing/http_fixture.hpp"

namespace http_client_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;
using std::chrono::milliseconds;
using namespace swarm::transport::test;
using swarm::testing::says;

TEST_CASE("requests and answers") {
  http_fixture f;
  f.serve(echo);
  auto answer = f.ask({.target = "/a?b"});
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body == "GET /a?b ");
  CHECK(find_header(answer->headers, "content-type") == "text/plain");
  std::string large(3'000'000, 'x');
  answer = f.ask({.method = "POST", .target = "/p", .body = large});
  REQUIRE(answer);
  CHECK(answer->body == "POST /p " + large);
  answer = f.ask({.method = "HEAD", .target = "/h"});
  REQUIRE(answer);
  CHECK(find_header(answer->headers, "Content-Length") == "8");
  CHECK(answer->body.empty());
  answer = f.ask({.target = "/not escaped"});
  REQUIRE_FALSE(answer);
  CHECK(says(answer.error(), "must be escaped"));
}

TEST_CASE("a connection is used again") {
  http_fixture f;
  f.serve(echo);
  for (int i = 0; i < 10; ++i)
    REQUIRE(f.ask());
  CHECK(f.server->status().accepted == 1);
  CHECK(f.client->totals().connections == 1);
  CHECK(f.client->totals().requests == 10);
}

TEST_CASE("a later connection resumes the TLS session") {
  http_fixture f;
  auto tell = [](const http_request& request, const http_reply& reply) {
    reply(text_response(200,
                        request.peer.cert_subject + " " + to_hex(request.peer.anchor->fingerprint.view())));
  };
  f.serve(tell);
  http_server_options options;
  options.port = f.server->port();
  auto first = f.ask();
  REQUIRE(first);
  CHECK(f.client->totals().sessions_resumed == 0);
  f.server.reset();
  // The tickets belong to the identity, not to the listener.
  f.serve(tell, options);
  auto second = f.ask();
  REQUIRE(second);
  CHECK(f.client->totals().connections == 2);
  CHECK(f.client->totals().sessions_resumed == 1);
  const auto anchor = identity_of(f.client_files)->anchor();
  CHECK(first->body == "OU=Swarm-Learning, CN=sl-1 " + to_hex(anchor->fingerprint.view()));
  CHECK(second->body == first->body);
  for (const auto* each : {&*first, &*second}) {
    CHECK(each->peer.cert_subject == "OU=Swarm-Learning, CN=sn-1");
    CHECK(each->peer.anchor->fingerprint == anchor->fingerprint);
  }
  // A restarted process knows no tickets, so the handshake is a full one.
  f.server.reset();
  f.server_identity = identity_of(f.server_files);
  f.serve(echo, options);
  REQUIRE(f.ask());
  CHECK(f.client->totals().connections == 3);
  CHECK(f.client->totals().sessions_resumed == 1);
}

TEST_CASE("many requests share few connections") {
  http_fixture f({.connections_per_host_max = 3});
  std::atomic<int> under_way{0}, most{0};
  f.serve([&](const http_request& request, const http_reply& reply) {
    most = std::max(most.load(), ++under_way);
    f.io.post([&, request, reply] {
      --under_way;
      reply(text_response(200, request.body));
    });
  });
  std::atomic<int> right{0}, done{0};
  for (int i = 0; i < 300; ++i) {
    auto body = std::to_string(i);
    f.client->request("127.0.0.1", f.server->port(), {.method = "POST", .body = body}, [&, body](auto how) {
      if (how && how->body == body) ++right;
      ++done;
    });
  }
  REQUIRE(eventually([&] { return done == 300; }));
  CHECK(right == 300);
  CHECK(f.server->status().accepted <= 3);
  CHECK(most <= 3);
}

TEST_CASE("waiting requests are bounded and shown") {
  http_fixture f({.connections_per_host_max = 1, .waiting_per_host_max = 2});
  std::optional<http_reply> kept;
  std::mutex mutex;
  f.serve([&](const http_request&, const http_reply& reply) {
    std::lock_guard lock(mutex);
    kept = reply;
  });
  std::vector<std::unique_ptr<waiting_for<result<http_response>>>> answers;
  for (int i = 0; i < 4; ++i) {
    answers.push_back(std::make_unique<waiting_for<result<http_response>>>());
    f.client->request("127.0.0.1", f.server->port(), {.target = "/" + std::to_string(i)},
                      [&to = *answers.back()](auto how) { to.set(std::move(how)); });
  }
  auto last = answers[3]->get();
  REQUIRE_FALSE(last);
  CHECK(last.error().is(net_errc::limit));
  REQUIRE(eventually([&] {
    auto calls = f.client->calls();
    return calls.size() == 3 && calls[0].phase == "response" && calls[1].phase == "wait";
  }));
  CHECK(f.client->calls()[0].target == "/0");
  for (int i = 0; i < 3; ++i) {
    REQUIRE(eventually([&] {
      std::lock_guard lock(mutex);
      return kept.has_value();
    }));
    std::lock_guard lock(mutex);
    std::exchange(kept, std::nullopt)->operator()({});
  }
  for (int i = 0; i < 3; ++i)
    CHECK(answers[static_cast<std::size_t>(i)]->get());
}

TEST_CASE("a kept connection that died is replaced") {
  http_fixture f;
  std::atomic<int> connections{0};
  std::atomic<bool> silent_death{false};
  auto listener = f.scripted([&](raw_tls& tls) {
    ++connections;
    tls.read_until("\r\n\r\n");
    tls.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    // In one case the server closes while idle, in the other when the next request has come already.
    if (silent_death) tls.read_until("\r\n\r\n");
  });
  SUBCASE("closed while idle") {
    REQUIRE(f.ask(listener->port()));
    REQUIRE(eventually([&] { return connections == 1; }));
    http_request post{.method = "POST", .body = "x"};
    for (int i = 0; i < 3; ++i) {
      // The close arrives a moment after the answer; a POST that meets it half-way must not be repeated.
      auto how = f.ask(listener->port(), post);
      CHECK((how || how.error().is(net_errc::response) || how.error().is(net_errc::request)));
    }
    CHECK(f.ask(listener->port()));
  }
  SUBCASE("closed in answer to a request") {
    silent_death = true;
    REQUIRE(f.ask(listener->port()));
    auto how = f.ask(listener->port(), {.method = "POST", .body = "x"});
    REQUIRE_FALSE(how);
    CHECK(how.error().is(net_errc::response));
    REQUIRE(f.ask(listener->port()));
    CHECK(f.ask(listener->port()));
    how = f.ask(listener->port(), {.method = "POST", .body = "x", .repeatable = true});
    CHECK(how);
    f.client->stop(); // else the server waits for its next request
  }
}

namespace {

/// A client that waits for 0.1 s, and what its errors must say.
struct impatient : http_fixture {
  impatient()
      : http_fixture(http_client_options{.handshake_timeout = milliseconds{100},
                                         .progress_timeout = milliseconds{100}}) {}

  void fails(std::uint16_t port, net_errc code, std::initializer_list<std::string> parts) {
    auto how = ask(port);
    REQUIRE_FALSE(how);
    CAPTURE(how.error().message);
    CHECK(how.error().is(code));
    CHECK(says(how.error(), fmt::format("127.0.0.1:{}", port)));
    for (const auto& part : parts) {
      CAPTURE(part);
      CHECK(says(how.error(), part));
    }
  }
};

} // namespace

TEST_CASE_FIXTURE(impatient, "errors before the request name host and phase") {
  SUBCASE("nobody listens") {
    std::uint16_t port = 0;
    {
      port = scripted([](raw_tls&) {})->port();
    }
    fails(port, net_errc::connect, {"connect:", "connection refused"});
  }
  SUBCASE("no such host") {
    waiting_for<result<http_response>> done;
    client->request("no-such-host.invalid", 1, {}, [&](auto how) { done.set(std::move(how)); });
    auto how = done.get();
    REQUIRE_FALSE(how);
    CHECK(how.error().is(net_errc::resolve));
    CHECK(says(how.error(), "no-such-host.invalid:1: resolve:"));
  }
  SUBCASE("connected but no TLS") {
    waiting_for<bool> over;
    raw_listener silent([&](int) { over.get(); });
    fails(silent.port(), net_errc::timeout, {"handshake:", "0.1 s"});
    over.set(true);
  }
  SUBCASE("something else than TLS") {
    raw_listener plain([&](int fd) { CHECK(::write(fd, "SSH-2.0-x\r\n", 11) == 11); });
    fails(plain.port(), net_errc::handshake, {"handshake:", "does not speak TLS"});
  }
}

TEST_CASE_FIXTURE(impatient, "errors of the answer name host, phase and last byte") {
  SUBCASE("no answer") {
    waiting_for<bool> over;
    auto silent = scripted([&](raw_tls&) { over.get(); });
    fails(silent->port(), net_errc::timeout, {"response:", "no byte", "no byte of the answer received"});
    over.set(true);
  }
  SUBCASE("an answer that stops") {
    waiting_for<bool> over;
    auto stalling = scripted([&](raw_tls& tls) {
      tls.read_until("\r\n\r\n");
      tls.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n12345");
      over.get();
    });
    fails(stalling->port(), net_errc::timeout, {"response:", "5 bytes of the body received", "s ago"});
    over.set(true);
  }
  SUBCASE("an answer that breaks off") {
    auto breaking = scripted([&](raw_tls& tls) {
      tls.read_until("\r\n\r\n");
      tls.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n12345");
    });
    fails(breaking->port(), net_errc::response, {"response:", "closed by the other side", "5 of 100 bytes"});
  }
  SUBCASE("an answer that is no HTTP") {
    auto wrong = scripted([&](raw_tls& tls) {
      tls.read_until("\r\n\r\n");
      tls.write("what?\r\n\r\n");
    });
    fails(wrong->port(), net_errc::response, {"response:"});
  }
  SUBCASE("a header without end") {
    auto wrong = scripted([&](raw_tls& tls) {
      tls.read_until("\r\n\r\n");
      tls.write("HTTP/1.1 200 OK\r\n");
      while (tls.write("X: 12345678901234567890\r\n")) {
      }
    });
    fails(wrong->port(), net_errc::limit, {"response:", "header"});
  }
}

TEST_CASE("an answer that drips is no stand-still") {
  http_client_options options;
  options.progress_timeout = milliseconds{300};
  http_fixture f(options);
  auto dripping = f.scripted([&](raw_tls& tls) {
    tls.read_until("\r\n\r\n");
    tls.write("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n");
    for (int i = 0; i < 50; ++i) {
      std::this_thread::sleep_for(milliseconds{10});
      tls.write("x");
    }
  });
  auto how = f.ask(dripping->port());
  REQUIRE(how);
  CHECK(how->body == std::string(50, 'x'));
}

TEST_CASE("answers are limited in size, early answers are read") {
  http_client_options options;
  options.body_bytes_max = 1000;
  http_fixture f(options);
  http_server_options limits;
  limits.body_bytes_max = 100'000;
  f.serve(
      [](const http_request&, const http_reply& reply) { reply(text_response(200, std::string(1001, 'x'))); },
      limits);
  auto how = f.ask();
  REQUIRE_FALSE(how);
  CHECK(how.error().is(net_errc::limit));
  how = f.ask({.method = "POST", .body = std::string(20'000'000, 'x')});
  REQUIRE(how);
  CHECK(how->status == 413);
  auto endless = f.scripted([&](raw_tls& tls) {
    tls.read_until("\r\n\r\n");
    tls.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (tls.write("400\r\n" + std::string(1024, 'x') + "\r\n")) {
    }
  });
  how = f.ask(endless->port());
  REQUIRE_FALSE(how);
  CHECK(how.error().is(net_errc::limit));
}

TEST_CASE("interim answers are passed over") {
  http_fixture f;
  auto server = f.scripted([&](raw_tls& tls) {
    tls.read_until("\r\n\r\n");
    tls.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    tls.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  auto how = f.ask(server->port());
  REQUIRE(how);
  CHECK(how->body == "ok");
}

TEST_CASE("calls can be cancelled in every phase") {
  http_fixture f({.connections_per_host_max = 1});
  waiting_for<bool> asked, over;
  auto silent = f.scripted([&](raw_tls& tls) {
    tls.read_until("\r\n\r\n");
    asked.set(true);
    over.get();
  });
  waiting_for<result<http_response>> first, second;
  auto a = f.client->request("127.0.0.1", silent->port(), {}, [&](auto how) { first.set(std::move(how)); });
  auto b = f.client->request("127.0.0.1", silent->port(), {}, [&](auto how) { second.set(std::move(how)); });
  b.cancel();
  auto how = second.get();
  REQUIRE_FALSE(how);
  CHECK(how.error().is(net_errc::cancelled));
  asked.get();
  a.cancel();
  how = first.get();
  REQUIRE_FALSE(how);
  CHECK(how.error().is(net_errc::cancelled));
  a.cancel();
  http_call().cancel();

  over.set(true);
  waiting_for<bool> hold;
  raw_listener no_tls([&](int) { hold.get(); });
  waiting_for<result<http_response>> third;
  auto c = f.client->request("127.0.0.1", no_tls.port(), {}, [&](auto h) { third.set(std::move(h)); });
  REQUIRE(
      eventually([&] { return f.client->calls().size() == 1 && f.client->calls()[0].phase == "handshake"; }));
  c.cancel();
  CHECK(third.get().error().is(net_errc::cancelled));
  hold.set(true);
}

TEST_CASE("stop cancels everything and waits for the completions") {
  http_fixture f({.connections_per_host_max = 1});
  f.serve([](const http_request& request, const http_reply& reply) {
    static std::vector<http_reply> kept;
    if (request.target == "/hang")
      kept.push_back(reply);
    else
      reply({});
  });
  REQUIRE(f.ask({.target = "/"}));
  std::atomic<int> cancelled{0};
  for (int i = 0; i < 3; ++i)
    f.client->request("127.0.0.1", f.server->port(), {.target = "/hang"}, [&](auto how) {
      if (!how && how.error().is(net_errc::cancelled)) ++cancelled;
    });
  f.client->stop();
  CHECK(cancelled == 3);
  auto late = f.ask();
  REQUIRE_FALSE(late);
  CHECK(late.error().is(net_errc::cancelled));
}

} // namespace http_client_test
