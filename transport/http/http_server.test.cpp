#include "transport/http/http_server.hpp"

#include "base/testing/wording.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>

namespace http_server_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;
using std::chrono::milliseconds;
using swarm::testing::says;

namespace {

/// A server on a free port with a given handler, and the files of a node that it accepts.
struct fixture {
  temp_folder folder;
  authority ca{folder.path(), "CA-1"};
  tls_files server_files = ca.issue("sn-1");
  tls_files client_files = ca.issue("sl-1");
  io_runtime io{2};
  std::unique_ptr<http_server> server;

  void serve(http_handler handler, http_server_options options = {}, ws_accept on_websocket = {}) {
    options.address = "127.0.0.1";
    auto started = http_server::start(io, identity_of(server_files), options, std::move(handler),
                                      std::move(on_websocket));
    if (!started) throw std::runtime_error(started.error().message);
    server = std::move(*started);
  }
  raw_tls connect() { return raw_tls::connect(server->port(), client_files); }
};

void echo(const http_request& request, const http_reply& reply) {
  reply(text_response(200, request.method + " " + request.target + " " + request.body));
}

/// A body of `size` bytes that differs at every place.
std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    out[i] = static_cast<char>(i * 2654435761u >> 13);
  return out;
}

} // namespace

TEST_CASE("requests are answered, connections are kept, bytes on the wire are as they should be") {
  fixture f;
  f.serve(echo);
  CHECK(f.server->port() != 0);
  auto client = f.connect();
  REQUIRE(client.shaken());
  client.write("GET /a?b=1 HTTP/1.1\r\nHost: x\r\n\r\n");
  auto first = client.read_answer();
  CHECK(first.head == "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\n");
  CHECK(first.body == "GET /a?b=1 ");
  client.write("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  CHECK(client.read_answer().body == "POST /p abc");
  client.write(
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
  CHECK(client.read_answer().body == "POST /c abc");
  client.write("HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(client.read_answer(true).has("Content-Length: 8\r\n"));
  client.write("GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  auto last = client.read_to_end();
  CHECK(has(last, "Connection: close\r\n"));
  CHECK(has(last, "GET /last "));
  CHECK(f.server->status().accepted == 1);
  CHECK(f.server->status().requests == 5);
}

TEST_CASE("the handler learns who asks") {
  fixture f;
  waiting_for<peer_info> who;
  f.serve([&](const http_request& request, const http_reply& reply) {
    who.set(request.peer);
    reply({});
  });
  auto client = f.connect();
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  auto peer = who.get();
  CHECK(peer.address == "127.0.0.1");
  CHECK(peer.port != 0);
  CHECK(peer.cert_subject == "OU=Swarm-Learning, CN=sl-1");
  CHECK(peer.cert_fingerprint == identity_of(f.client_files)->fingerprint());
  CHECK(identity_of(f.client_files)->shares_anchor(*peer.anchor));
}

namespace {

/// What a program gets that speaks HTTP without TLS.
std::string plain_answer(std::uint16_t port, std::string_view request) {
  const int fd = connect_tcp(port);
  REQUIRE(::write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size()));
  auto out = read_plain_to_end(fd);
  ::close(fd);
  return out;
}

} // namespace

TEST_CASE("plain HTTP on the same port, for those who may") {
  constexpr std::string_view request = "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  for (const auto plain : {plain_http::nobody, plain_http::this_host, plain_http::everybody}) {
    CAPTURE(static_cast<int>(plain));
    fixture f;
    f.serve(
        [](const http_request& asked, const http_reply& reply) {
          reply(text_response(200, asked.peer.has_proof() ? "proved" : "anybody"));
        },
        {.plain = plain});
    const auto got = plain_answer(f.server->port(), request);
    CHECK(got.ends_with("anybody") == (plain != plain_http::nobody));
    auto client = f.connect();
    REQUIRE(client.shaken());
    client.write(request);
    CHECK(client.read_answer().body == "proved");
    if (plain == plain_http::nobody) continue;
    CHECK(plain_answer(f.server->port(),
                       "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
              .starts_with("HTTP/1.1 404"));
    CHECK(plain_answer(f.server->port(), "nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
  }
}

TEST_CASE("a connection that says nothing is cut off where the first byte decides") {
  fixture f;
  f.serve(echo, {.plain = plain_http::this_host, .handshake_timeout = milliseconds{50}});
  CHECK(plain_answer(f.server->port(), "") == "");
  CHECK(eventually([&] { return f.server->status().connections == 0; }));
}

TEST_CASE("pipelined requests are answered in order, one at a time") {
  fixture f;
  std::atomic<int> under_way{0}, most{0};
  f.serve([&](const http_request& request, const http_reply& reply) {
    most = std::max(most.load(), ++under_way);
    f.io.after(milliseconds{2}, [&, request, reply] {
      --under_way;
      reply(text_response(200, request.target + "\n"));
    });
  });
  auto client = f.connect();
  std::string all;
  for (int i = 0; i < 20; ++i)
    all += fmt::format("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", i);
  client.write(all);
  for (int i = 0; i < 20; ++i)
    CHECK(client.read_answer().body == fmt::format("/{}\n", i));
  CHECK(most == 1);
}

TEST_CASE("a reply counts once, may come late from any thread, and may not be forgotten") {
  fixture f;
  std::optional<http_reply> kept;
  std::mutex mutex;
  f.serve([&](const http_request& request, const http_reply& reply) {
    if (request.target == "/dropped") return;
    if (request.target == "/throws") throw std::runtime_error("handler");
    if (request.target == "/bad-header") return reply(http_response{.headers = {{"a b", "c\r\n"}}});
    std::lock_guard lock(mutex);
    kept = reply;
  });
  auto client = f.connect();
  for (auto* target : {"/dropped", "/throws", "/bad-header"}) {
    client.write(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", target));
    CHECK(client.read_answer().has("500 Internal"));
  }
  client.write("GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(eventually([&] {
    std::lock_guard lock(mutex);
    return kept.has_value();
  }));
  std::thread([&] {
    (*kept)(text_response(200, "first"));
    (*kept)(text_response(200, "other"));
  }).join();
  CHECK(client.read_answer().body == "first");
  client.write("GET /late HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  REQUIRE(eventually([&] { return f.server->status().requests == 5; }));
  f.server.reset(); // the handler is never answered: the connection is cut off
  CHECK(client.read_to_end().empty());
  kept.reset();
}

TEST_CASE("memory, file and range bodies") {
  fixture f;
  auto data = pattern(300'000);
  auto held = std::make_shared<const std::string>(data);
  auto file = f.folder.path() / "model";
  write_file(file, data);
  f.serve([&](const http_request& request, const http_reply& reply) {
    if (request.target == "/memory")
      return reply(
          range_response(request, held->size(), [&](byte_range part) -> decltype(http_response::slice) {
            return shared_slice{held, as_bytes(*held).subspan(part.offset, part.length)};
          }));
    if (request.target == "/gone") return reply({.slice = file_slice{f.folder.path() / "gone", 0, 10}});
    if (request.target == "/short") return reply({.slice = file_slice{file, 299'999, 2}});
    reply(range_response(request, data.size(), [&](byte_range part) -> decltype(http_response::slice) {
      return file_slice{file, part.offset, part.length};
    }));
  });
  auto client = f.connect();
  for (auto* target : {"/memory", "/file"}) {
    client.write(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", target));
    auto got = client.read_answer();
    CHECK(got.has("Content-Length: 300000\r\n"));
    CHECK((got.body == data));
    client.write(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\nRange: bytes=1000-200999\r\n\r\n", target));
    got = client.read_answer();
    CHECK(got.has("206 Partial Content"));
    CHECK(got.has("Content-Range: bytes 1000-200999/300000\r\n"));
    CHECK((got.body == data.substr(1000, 200'000)));
  }
  for (auto* target : {"/gone", "/short"}) {
    client.write(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", target));
    CHECK(client.read_answer().has("500 Internal"));
  }
}

TEST_CASE("oversize and malformed requests get their status and the connection ends") {
  fixture f;
  http_server_options options;
  options.header_bytes_max = 1024;
  options.body_bytes_max = 1000;
  f.serve(echo, options);
  auto answer = [&](const std::string& request) {
    auto client = f.connect();
    client.write(request);
    return client.read_to_end();
  };
  auto large = std::string(100'000, 'x');
  CHECK(has(answer("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n"), "413 Content Too Large"));
  CHECK(has(answer("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + large),
            "413 Content Too Large"));
  CHECK(has(answer("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n"
                   + large.substr(0, 1024) + "\r\n0\r\n\r\n"),
            "413 Content Too Large"));
  CHECK(has(answer("GET / HTTP/1.1\r\nHost: x\r\nX: " + large + "\r\n\r\n"),
            "431 Request Header Fields Too Large"));
  CHECK(has(answer("nonsense\r\n\r\n"), "400 Bad Request"));
  CHECK(has(answer("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"), "400 Bad Request"));
  CHECK(
      has(answer("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"),
          "400 Bad Request"));
  CHECK(has(
      answer(
          "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
          "13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
      "404 Not Found"));
  auto client = f.connect();
  client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + large.substr(0, 1000));
  CHECK(client.read_answer().has("200 OK"));
}

TEST_CASE("Expect: 100-continue") {
  fixture f;
  f.serve(echo);
  auto client = f.connect();
  client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.write("abc");
  CHECK(client.read_answer().has("200 OK"));
}

TEST_CASE("large bodies share a budget") {
  fixture f;
  http_server_options options;
  options.body_bytes_max = 1000;
  options.bodies_bytes_max = 1500;
  f.serve(echo, options);
  auto first = f.connect();
  first.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf");
  REQUIRE(eventually([&] { return f.server->status().requests == 1; }));
  auto second = f.connect();
  second.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  CHECK(has(second.read_to_end(), "503 Service Unavailable"));
  auto small = f.connect();
  small.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  CHECK(small.read_answer().has("200 OK"));
  first.write(std::string(996, 'x'));
  CHECK(first.read_answer().has("200 OK"));
  auto third = f.connect();
  third.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'y'));
  CHECK(third.read_answer().has("200 OK"));
}

TEST_CASE("slow and silent clients are cut off") {
  fixture f;
  http_server_options options;
  options.handshake_timeout = milliseconds{100};
  options.header_timeout = milliseconds{100};
  options.idle_timeout = milliseconds{100};
  options.stall_timeout = milliseconds{100};
  options.stall_bytes = 4096;
  f.serve(echo, options);

  SUBCASE("a handshake that never comes") {
    auto fd = connect_tcp(f.server->port());
    CHECK(read_plain_to_end(fd).empty());
    ::close(fd);
    CHECK(eventually(
        [&] { return says(f.server->status().last_handshake_failure, "did not finish the TLS handshake"); }));
  }
  SUBCASE("no request") {
    CHECK(f.connect().read_to_end().empty());
  }
  SUBCASE("a header that drips") {
    auto client = f.connect();
    std::string_view header = "GET / HTTP/1.1\r\nX: ";
    bool open = client.write(header);
    while (open) {
      std::this_thread::sleep_for(milliseconds{5});
      open = client.write("x");
    }
    CHECK_FALSE(open);
    CHECK(f.server->status().requests == 0);
  }
  SUBCASE("a body that drips") {
    auto client = f.connect();
    bool open = client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    while (open) {
      std::this_thread::sleep_for(milliseconds{5});
      open = client.write("x");
    }
    CHECK_FALSE(open);
  }
  SUBCASE("an answer that is not read") {
    auto body = shared_slice::of(std::string(64 * 1024 * 1024, 'x'));
    f.server.reset();
    f.serve([&](const http_request&, const http_reply& reply) { reply({.slice = body}); }, options);
    auto client = f.connect();
    client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(
        eventually([&] { return f.server->status().requests == 1 && f.server->status().connections == 0; }));
  }
  CHECK(eventually([&] { return f.server->status().connections == 0; }));
}

TEST_CASE("a port in use, a bad address") {
  fixture f;
  f.serve(echo);
  http_server_options options;
  options.name = "API";
  options.address = "127.0.0.1";
  options.port = f.server->port();
  auto second = http_server::start(f.io, identity_of(f.server_files), options, echo);
  REQUIRE_FALSE(second);
  CHECK(second.error().is(net_errc::in_use));
  CHECK(says(second.error(), fmt::format("API: port {} on 127.0.0.1 is in use", f.server->port())));
  CHECK(says(second.error(), "choose another port"));
  options.address = "sn-1";
  second = http_server::start(f.io, identity_of(f.server_files), options, echo);
  REQUIRE_FALSE(second);
  CHECK(second.error().is(net_errc::address));
  options.address = "203.0.113.7";
  second = http_server::start(f.io, identity_of(f.server_files), options, echo);
  REQUIRE_FALSE(second);
  CHECK(says(second.error(), "does not have that address"));
  auto port = f.server->port();
  f.server.reset();
  options.address = "127.0.0.1";
  options.port = port;
  CHECK(http_server::start(f.io, identity_of(f.server_files), options, echo));
}

TEST_CASE("stop lets the request under way finish and closes the rest") {
  fixture f;
  std::optional<http_reply> kept;
  std::mutex mutex;
  http_server_options options;
  options.drain_timeout = std::chrono::seconds{30};
  f.serve(
      [&](const http_request&, const http_reply& reply) {
        std::lock_guard lock(mutex);
        kept = reply;
      },
      options);
  auto idle = f.connect();
  auto busy = f.connect();
  busy.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(eventually([&] {
    std::lock_guard lock(mutex);
    return kept.has_value();
  }));
  std::thread stopping([&] { f.server->stop(); });
  CHECK(idle.read_to_end().empty());
  CHECK(eventually([&] {
    auto fd = connect_tcp(f.server->port());
    if (fd >= 0) ::close(fd);
    return fd < 0;
  }));
  (*kept)(text_response(200, "done"));
  auto last = busy.read_to_end();
  CHECK(has(last, "Connection: close"));
  CHECK(has(last, "done"));
  stopping.join();
  CHECK(f.server->status().connections == 0);
  f.server->stop();
}

TEST_CASE("a runtime that stops first leaves nothing hanging") {
  temp_folder folder;
  authority ca(folder.path(), "CA-1");
  auto self = identity_of(ca.issue("sn-1"));
  std::optional<http_reply> kept;
  waiting_for<bool> asked;
  {
    io_runtime io(1);
    auto server = http_server::start(io, self, {.address = "127.0.0.1"},
                                     [&](const http_request&, const http_reply& reply) {
                                       kept = reply;
                                       asked.set(true);
                                     });
    REQUIRE(server);
    auto client = raw_tls::connect((*server)->port(), ca.issue("sl-1"));
    client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    asked.get();
    io.stop();
  }
  (*kept)({}); // nobody is there to get it
}

} // namespace http_server_test
