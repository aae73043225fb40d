#include "base/testing/wording.hpp"
#include "transport/http/testing/http_fixture.hpp"
#include "transport/proxies.hpp"
#include "transport/proxy/connect.hpp"
#include "transport/ws/websocket.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <mutex>
#include <thread>

namespace dial_proxy_test {

using namespace swarm;
using namespace swarm::transport;
using namespace swarm::transport::test;
using swarm::testing::says;

namespace {

/// A name that only the proxy knows.
constexpr const char* name = "sn-1.h2.example";

/// The head of a request; what follows stays unread.
std::string read_request(int fd) {
  std::string out;
  for (char c = 0; !out.ends_with("\r\n\r\n") && ::recv(fd, &c, 1, 0) == 1;)
    out += c;
  return out;
}

void write_text(int fd, std::string_view text) {
  [[maybe_unused]] auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
}

/// Hands on what comes from either side until one of them ends.
void pump(int one, int other) {
  std::array<pollfd, 2> ends{pollfd{one, POLLIN, 0}, pollfd{other, POLLIN, 0}};
  std::array<char, 16 * 1024> piece;
  while (::poll(ends.data(), ends.size(), -1) > 0)
    for (std::size_t i = 0; i < 2; ++i) {
      if (ends[i].revents == 0) continue;
      const auto got = ::recv(ends[i].fd, piece.data(), piece.size(), 0);
      if (got <= 0) return;
      write_text(ends[1 - i].fd, {piece.data(), static_cast<std::size_t>(got)});
    }
}

/// A client that dials by a proxy, and what the proxy was asked. `behave(fd, request)` is the proxy.
struct proxied : http_fixture {
  using behaviour = std::function<void(int, const std::string&)>;
  std::mutex mutex;
  std::deque<std::string> asked;
  std::unique_ptr<raw_listener> listener;

  explicit proxied(behaviour behave, http_client_options options = {}, const std::string& login = {})
      : http_fixture(options) {
    listener = std::make_unique<raw_listener>([this, behave](int fd) {
      const auto request = read_request(fd);
      {
        std::lock_guard lock(mutex);
        asked.push_back(request);
      }
      behave(fd, request);
    });
    auto rules =
        proxy_rules::make(fmt::format("http://{}localhost:{}", login, listener->port()), "direct.example");
    REQUIRE(rules);
    use_proxies(io, std::move(*rules));
  }
  ~proxied() {
    client.reset(); // it closes what the listener's thread hands on
    listener.reset();
  }
  result<http_response> ask_by_name(std::uint16_t port = 443) {
    waiting_for<result<http_response>> done;
    client->request(name, port, {}, [&](auto how) { done.set(std::move(how)); });
    return done.get();
  }
  std::string shown() const { return fmt::format("http://localhost:{}", listener->port()); }
};

proxied::behaviour answering(std::string text) {
  return [text](int fd, const std::string&) { write_text(fd, text); };
}

/// Opens the way to this port of this host, whatever is asked for.
proxied::behaviour opening(const std::uint16_t& port) {
  return [&port](int fd, const std::string&) {
    const int there = connect_tcp(port);
    write_text(fd, "HTTP/1.1 200 Connection established\r\n\r\n");
    pump(fd, there);
    ::close(there);
  };
}

} // namespace

TEST_CASE("requests go by the proxy, which alone has to know the server's name") {
  std::uint16_t port = 0;
  proxied f(opening(port), {}, "me:p%40ss@");
  f.serve(echo);
  port = f.server->port();
  for (int i = 0; i < 2; ++i) {
    const auto answer = f.ask_by_name();
    REQUIRE(answer);
    CHECK(answer->body == "GET / ");
    CHECK(answer->peer.cert_subject == "OU=Swarm-Learning, CN=sn-1");
    CHECK(answer->peer.address == name);
    CHECK(answer->peer.port == 443);
  }
  REQUIRE(f.asked.size() == 1); // the connection is kept
  CHECK(f.asked[0].starts_with("CONNECT sn-1.h2.example:443 HTTP/1.1\r\n"));
  CHECK(f.asked[0].find("Proxy-Authorization: Basic bWU6cEBzcw==\r\n") != std::string::npos);
  CHECK(f.ask()); // this host itself, directly
  CHECK(f.asked.size() == 1);
}

TEST_CASE("TLS tells the name that was dialled, by the proxy and directly") {
  std::string told;
  std::uint16_t port = 0;
  proxied f(opening(port));
  const auto server = f.scripted([&](raw_tls& tls) {
    told = tls.server_name();
    tls.read_until("\r\n\r\n");
    tls.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    tls.shut();
  });
  port = server->port();
  REQUIRE(f.ask_by_name());
  CHECK(told == name);
  waiting_for<result<http_response>> done;
  f.client->request("localhost", port, {}, [&](auto how) { done.set(std::move(how)); });
  REQUIRE(done.get());
  CHECK(told == "localhost");
  CHECK(f.asked.size() == 1);
}

TEST_CASE("WebSockets go by the proxy") {
  std::uint16_t port = 0;
  proxied f(opening(port));
  f.serve(echo); // it has no WebSocket: the way to it is what is looked at
  port = f.server->port();
  waiting_for<error> closed;
  ws_callbacks callbacks;
  callbacks.on_close = [&](error why) { closed.set(std::move(why)); };
  const auto session =
      ws_connect(f.io, identity_of(f.client_files), name, 443, "/ws", {}, std::move(callbacks));
  const auto why = closed.get();
  CHECK(why.is(net_errc::http_status));
  CHECK(says(why, "sn-1.h2.example:443: /ws is no WebSocket there"));
  REQUIRE(f.asked.size() == 1);
  CHECK(f.asked[0].starts_with("CONNECT sn-1.h2.example:443 HTTP/1.1\r\n"));
}

TEST_CASE("a proxy that refuses is named, and so is one that says nothing that can be understood") {
  struct row {
    std::string_view answer;
    proxy_errc code;
    std::string_view says;
  };
  constexpr std::array rows{
      row{"HTTP/1.1 407 No\r\n\r\n", proxy_errc::login, "refuses the user 'me'"},
      row{"HTTP/1.1 403 No\r\n\r\n", proxy_errc::refused, "does not allow this way"},
      row{"SSH-2.0-x\r\n", proxy_errc::malformed, "it answers with no HTTP/1.1"},
      row{"HTTP/1.1 200 OK\r\n\r\nhello", proxy_errc::malformed, "more than the answer to CONNECT"},
      row{"", proxy_errc::malformed, "no answer to CONNECT: closed by the other side"},
  };
  for (const auto& [answer, code, text] : rows) {
    CAPTURE(answer);
    proxied f(answering(std::string(answer)), {}, "me:hush@");
    const auto got = f.ask_by_name();
    REQUIRE_FALSE(got);
    CHECK(got.error().is(code));
    CHECK(says(got.error(), text));
    CHECK(says(got.error(), f.shown()));
    CHECK(got.error().message.find("hush") == std::string::npos);
  }
}

TEST_CASE("nobody at the proxy's address, and a proxy without an address") {
  http_fixture f;
  const auto ask = [&](const std::string& proxy_text) {
    io_runtime io{1};
    use_proxies(io, proxy_rules::make(proxy_text, "").value());
    http_client client(io, identity_of(f.client_files));
    waiting_for<result<http_response>> done;
    client.request(name, 443, {}, [&](auto how) { done.set(std::move(how)); });
    return done.get();
  };
  const auto absent = ask("http://127.0.0.1:1");
  REQUIRE_FALSE(absent);
  CHECK(absent.error().is(proxy_errc::unreachable));
  CHECK(says(absent.error(), "the proxy http://127.0.0.1:1: connection refused"));
  const auto nameless = ask("http://proxy.invalid:3128");
  REQUIRE_FALSE(nameless);
  CHECK(nameless.error().is(proxy_errc::unreachable));
  CHECK(says(nameless.error(), "'proxy.invalid' has no address"));
}

TEST_CASE("the time to connect covers the proxy, however it spends it") {
  http_client_options options;
  options.connect_timeout = milliseconds{300};
  const auto drip = [](int fd, const std::string&) {
    write_text(fd, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 100; ++i) { // a header of which each byte comes late
      std::this_thread::sleep_for(milliseconds{20});
      if (::send(fd, "x", 1, MSG_NOSIGNAL) != 1) return;
    }
  };
  const auto silent = [](int fd, const std::string&) { read_plain_to_end(fd); };
  for (const auto& behave : {proxied::behaviour(drip), proxied::behaviour(silent)}) {
    proxied f(behave, options);
    const auto got = f.ask_by_name();
    REQUIRE_FALSE(got);
    CHECK(got.error().is(net_errc::timeout));
    CHECK(says(got.error(), "no answer for 0.3 s by the proxy " + f.shown()));
  }
}

TEST_CASE("a proxy that opens TLS is named with the foreign issuer of its certificate") {
  temp_folder folder;
  const authority stranger(folder.path(), "Inspection CA");
  const auto own = stranger.issue("sn-1");
  proxied f([&](int fd, const std::string&) {
    write_text(fd, "HTTP/1.1 200 Connection established\r\n\r\n");
    [[maybe_unused]] auto tls = raw_tls::accept(fd, own);
  });
  const auto got = f.ask_by_name();
  REQUIRE_FALSE(got);
  CHECK(got.error().is(net_errc::handshake));
  CHECK(says(got.error(), "by the proxy " + f.shown() + " comes a certificate from an unknown CA"));
  CHECK(says(got.error(), "CN=Inspection CA"));
  CHECK(says(got.error(), "have it pass sn-1.h2.example:443 on unopened"));
}

TEST_CASE("a dial that waits for the proxy can be cancelled") {
  std::atomic<bool> waits{false};
  proxied f([&](int fd, const std::string&) {
    waits = true;
    read_plain_to_end(fd);
  });
  waiting_for<result<http_response>> done;
  auto call = f.client->request(name, 443, {}, [&](auto how) { done.set(std::move(how)); });
  REQUIRE(eventually([&] { return waits.load(); }));
  call.cancel();
  const auto got = done.get();
  REQUIRE_FALSE(got);
  CHECK(got.error().is(net_errc::cancelled));
}

} // namespace dial_proxy_test
