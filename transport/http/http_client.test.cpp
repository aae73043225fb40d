#include "transport/http/http_client.hpp"

#include "transport/http/http_server.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <fstream>

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;
using std::chrono::milliseconds;

namespace {

struct fixture {
  temp_folder folder;
  authority ca{folder.path(), "CA-1"};
  tls_files server_files = ca.issue("sn-1");
  tls_files client_files = ca.issue("sl-1");
  std::shared_ptr<const tls_identity> server_identity = identity_of(server_files);
  io_runtime io{2};
  std::unique_ptr<http_server> server;
  std::unique_ptr<http_client> client;

  explicit fixture(http_client_options options = {}) {
    client = std::make_unique<http_client>(io, identity_of(client_files), options);
  }
  void serve(http_handler handler, http_server_options options = {}) {
    options.address = "127.0.0.1";
    auto started = http_server::start(io, server_identity, options, std::move(handler));
    if (!started) throw std::runtime_error(started.error().message);
    server = std::move(*started);
  }
  result<http_response> ask(std::uint16_t port, http_request request = {}) {
    waiting_for<result<http_response>> done;
    client->request("127.0.0.1", port, std::move(request), [&](auto how) { done.set(std::move(how)); });
    return done.get();
  }
  result<http_response> ask(http_request request = {}) { return ask(server->port(), std::move(request)); }
  result<fetch_result> fetch(std::uint16_t port, const std::string& target, std::optional<byte_range> range,
                             std::string& into) {
    waiting_for<result<fetch_result>> done;
    auto take = [&](bytes_view piece) -> result<> {
      into.append(as_text(piece));
      return {};
    };
    client->fetch("127.0.0.1", port, target, range, take, [&](auto how) { done.set(std::move(how)); });
    return done.get();
  }
  /// A server that does what `script` says after the handshake, once per connection.
  std::unique_ptr<raw_listener> scripted(std::function<void(raw_tls&)> script) {
    return std::make_unique<raw_listener>([this, script](int fd) {
      auto tls = raw_tls::accept(fd, server_files);
      script(tls);
    });
  }
};

void echo(http_request request, http_reply reply) {
  reply(text_response(200, request.method + " " + request.target + " " + request.body));
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("requests and answers") {
  fixture f;
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
  CHECK(has(answer.error().message, "must be escaped"));
}

TEST_CASE("a connection is used again") {
  fixture f;
  f.serve(echo);
  for (int i = 0; i < 10; ++i)
    REQUIRE(f.ask());
  CHECK(f.server->status().accepted == 1);
  CHECK(f.client->totals().connections == 1);
  CHECK(f.client->totals().requests == 10);
}

TEST_CASE("a later connection resumes the TLS session") {
  fixture f;
  auto tell = [](http_request request, http_reply reply) {
    reply(text_response(200, request.peer.cert_subject));
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
  CHECK(first->body == "OU=Swarm-Learning, CN=sl-1");
  CHECK(second->body == first->body);
  // A process that was started anew knows no tickets: then the handshake is a full one.
  f.server.reset();
  f.server_identity = identity_of(f.server_files);
  f.serve(echo, options);
  REQUIRE(f.ask());
  CHECK(f.client->totals().connections == 3);
  CHECK(f.client->totals().sessions_resumed == 1);
}

TEST_CASE("many requests share few connections") {
  fixture f({.connections_per_host_max = 3});
  std::atomic<int> under_way{0}, most{0};
  f.serve([&](http_request request, http_reply reply) {
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
  fixture f({.connections_per_host_max = 1, .waiting_per_host_max = 2});
  std::optional<http_reply> kept;
  std::mutex mutex;
  f.serve([&](http_request, http_reply reply) {
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
  fixture f;
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

TEST_CASE("errors name host, phase and last byte") {
  http_client_options options;
  options.progress_timeout = milliseconds{100};
  options.handshake_timeout = milliseconds{100};
  fixture f(options);
  auto fails = [&](std::uint16_t port, net_errc code, std::initializer_list<std::string> parts) {
    auto how = f.ask(port);
    REQUIRE_FALSE(how);
    CAPTURE(how.error().message);
    CHECK(how.error().is(code));
    CHECK(has(how.error().message, fmt::format("127.0.0.1:{}", port)));
    for (const auto& part : parts) {
      CAPTURE(part);
      CHECK(has(how.error().message, part));
    }
  };

  SUBCASE("nobody listens") {
    std::uint16_t port = 0;
    {
      port = f.scripted([](raw_tls&) {})->port();
    }
    fails(port, net_errc::connect, {"connect:", "connection refused"});
  }
  SUBCASE("no such host") {
    waiting_for<result<http_response>> done;
    f.client->request("no-such-host.invalid", 1, {}, [&](auto how) { done.set(std::move(how)); });
    auto how = done.get();
    REQUIRE_FALSE(how);
    CHECK(how.error().is(net_errc::resolve));
    CHECK(has(how.error().message, "no-such-host.invalid:1: resolve:"));
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
  SUBCASE("no answer") {
    waiting_for<bool> over;
    auto silent = f.scripted([&](raw_tls&) { over.get(); });
    fails(silent->port(), net_errc::timeout, {"response:", "no byte", "no byte of the answer received"});
    over.set(true);
  }
  SUBCASE("an answer that stops") {
    waiting_for<bool> over;
    auto stalling = f.scripted([&](raw_tls& tls) {
      tls.read_until("\r\n\r\n");
      tls.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n12345");
      over.get();
    });
    fails(stalling->port(), net_errc::timeout, {"response:", "5 bytes of the body received", "s ago"});
    over.set(true);
  }
  SUBCASE("an answer that breaks off") {
    auto breaking = f.scripted([&](raw_tls& tls) {
      tls.read_until("\r\n\r\n");
      tls.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n12345");
    });
    fails(breaking->port(), net_errc::response, {"response:", "closed by the other side", "5 of 100 bytes"});
  }
  SUBCASE("an answer that is no HTTP") {
    auto wrong = f.scripted([&](raw_tls& tls) {
      tls.read_until("\r\n\r\n");
      tls.write("what?\r\n\r\n");
    });
    fails(wrong->port(), net_errc::response, {"response:"});
  }
  SUBCASE("a header without end") {
    auto wrong = f.scripted([&](raw_tls& tls) {
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
  fixture f(options);
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
  fixture f(options);
  http_server_options limits;
  limits.body_bytes_max = 100'000;
  f.serve([](http_request, http_reply reply) { reply(text_response(200, std::string(1001, 'x'))); }, limits);
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
  fixture f;
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
  fixture f({.connections_per_host_max = 1});
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
  fixture f({.connections_per_host_max = 1});
  f.serve([](http_request request, http_reply reply) {
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

TEST_CASE("64 MB stream through little memory") {
  fixture f;
  constexpr std::size_t size = 64 * 1024 * 1024;
  auto file = f.folder.path() / "model";
  {
    std::ofstream out(file, std::ios::binary);
    std::string block(1024 * 1024, '\0');
    for (std::size_t b = 0; b < size / block.size(); ++b) {
      for (std::size_t i = 0; i < block.size(); ++i)
        block[i] = static_cast<char>((b * 131 + i) * 2654435761u >> 11);
      out.write(block.data(), static_cast<std::streamsize>(block.size()));
    }
  }
  f.serve([&](http_request request, http_reply reply) {
    reply(range_response(request, size, [&](byte_range part) -> decltype(http_response::slice) {
      return file_slice{file, part.offset, part.length};
    }));
  });
  std::ifstream in(file, std::ios::binary);
  std::uint64_t total = 0, wrong = 0;
  std::size_t largest = 0;
  auto before = mallinfo2();
  std::size_t most_allocated = 0;
  std::string expected;
  auto take = [&](bytes_view piece) -> result<> {
    largest = std::max(largest, piece.size());
    expected.resize(piece.size());
    in.read(expected.data(), static_cast<std::streamsize>(piece.size()));
    if (as_text(piece) != expected) ++wrong;
    total += piece.size();
    auto now = mallinfo2();
    most_allocated = std::max(most_allocated, now.uordblks + now.hblkhd);
    return {};
  };
  std::optional<byte_range> range;
  std::uint64_t want = size;
  SUBCASE("whole") {}
  SUBCASE("range") {
    range = byte_range{1'234'567, 50'000'000};
    in.seekg(1'234'567);
    want = range->length;
  }
  waiting_for<result<fetch_result>> done;
  f.client->fetch("127.0.0.1", f.server->port(), "/model", range, take,
                  [&](auto how) { done.set(std::move(how)); });
  auto how = done.get();
  REQUIRE(how);
  CHECK(how->status == (range ? 206u : 200u));
  CHECK(how->bytes_received == want);
  CHECK(how->peer.cert_subject == "OU=Swarm-Learning, CN=sn-1");
  CHECK(total == want);
  CHECK(wrong == 0);
  CHECK(largest <= http_client_options{}.chunk_bytes_max);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  auto base = before.uordblks + before.hblkhd;
  CHECK(most_allocated < base + 4 * 1024 * 1024);
#else
  (void)before;
#endif
}

TEST_CASE("a fetch gets exactly what it asked for or fails") {
  fixture f;
  std::string head, got;
  auto server = f.scripted([&](raw_tls& tls) {
    tls.read_until("\r\n\r\n");
    tls.write(head);
  });
  auto fetch = [&](std::string answer, std::optional<byte_range> range) {
    head = std::move(answer);
    got.clear();
    return f.fetch(server->port(), "/m", range, got);
  };
  byte_range five{10, 5};
  auto part = [](std::string_view range, std::string_view rest) {
    return fmt::format("HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Range: {}\r\n{}", range,
                       rest);
  };
  CHECK(fetch(part("bytes 10-14/100", "Content-Length: 5\r\n\r\nabcde"), five));
  CHECK(got == "abcde");
  CHECK(fetch(part("bytes 10-14/15", "Content-Length: 5\r\n\r\nabcde"), byte_range{10, 0}));

  auto fails = [&](std::string answer, std::optional<byte_range> range, net_errc code,
                   std::string_view words) {
    auto how = fetch(std::move(answer), range);
    REQUIRE_FALSE(how);
    CAPTURE(how.error().message);
    CHECK(how.error().is(code));
    CHECK(has(how.error().message, words));
  };
  fails(part("bytes 11-15/100", "Content-Length: 5\r\n\r\nabcde"), five, net_errc::response,
        "asked for 5 bytes");
  CHECK(got.empty());
  fails(part("bytes 10-13/100", "Content-Length: 4\r\n\r\nabcd"), five, net_errc::response,
        "asked for 5 bytes");
  fails(part("nonsense", "Content-Length: 5\r\n\r\nabcde"), five, net_errc::response, "asked for 5 bytes");
  fails(part("bytes 10-14/100", "Content-Length: 6\r\n\r\nabcdef"), five, net_errc::response,
        "asked for 5 bytes");
  fails(part("bytes 10-14/100", "Content-Length: 5\r\n\r\nabc"), five, net_errc::response, "3 of 5 bytes");
  fails(part("bytes 10-14/100", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), five,
        net_errc::response, "3 of 5 bytes");
  fails(part("bytes 10-14/100", "Transfer-Encoding: chunked\r\n\r\n9\r\nabcdefghi\r\n0\r\n\r\n"), five,
        net_errc::response, "more than the 5 bytes");
  fails("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabcde", five, net_errc::response,
        "does not serve parts");
  fails("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 9\r\n\r\nno such m", std::nullopt,
        net_errc::http_status, "status 404: no such m");
  CHECK(got.empty());
  fails("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabc", std::nullopt,
        net_errc::response, "3 of 10 bytes");
  fails("HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n"
            + std::string(100'000, 'x'),
        std::nullopt, net_errc::http_status, "status 500");
}

TEST_CASE("the receiver of a fetch can end it") {
  fixture f;
  auto body = shared_slice::of(std::string(10'000'000, 'x'));
  f.serve([&](http_request, http_reply reply) { reply({.slice = body}); });
  waiting_for<result<fetch_result>> done;
  f.client->fetch(
      "127.0.0.1", f.server->port(), "/", std::nullopt,
      [](bytes_view) -> result<> { return fail(errc::corrupt, "digest differs"); },
      [&](auto how) { done.set(std::move(how)); });
  auto how = done.get();
  REQUIRE_FALSE(how);
  CHECK(how.error().is(errc::corrupt));
  CHECK(f.ask().has_value());
}
