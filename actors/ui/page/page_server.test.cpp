#include "actors/ui/page/page_server.hpp"

#include "actors/ui/page/model_files.hpp"
#include "actors/ui/page/page_files.hpp"
#include "transport/held_port.hpp"
#include "transport/testing/test_support.hpp"

#include <doctest/doctest.h>

namespace ui_page_test {

using namespace swarm;
using namespace swarm::ui;
using namespace swarm::transport::test;

/// A page's server, and what its listener hears.
struct served {
  temp_folder folder;
  authority ca{folder.path(), "CA-1"};
  transport::io_runtime io{2};
  std::shared_ptr<page_server> page;
  std::mutex mutex;
  std::vector<browser::came> came;
  std::vector<std::string> said;
  std::size_t gone = 0;
  std::uint16_t port = 0;

  explicit served(page_options options = {}) {
    const auto free = transport::hold_free_port("127.0.0.1");
    REQUIRE(free);
    port = options.port = free->number;
    options.link_file = folder.path() / "login";
    auto started = page_server::start(io, identity_of(ca.issue("swci-1")), std::move(options));
    REQUIRE(started);
    page = std::move(*started);
    page->listen([this](browser_news news) {
      const std::lock_guard lock(mutex);
      std::visit([this](auto& what) { take(what); }, news);
    });
  }
  ~served() {
    page->listen({});
    page.reset();
  }
  void take(const browser::came& what) { came.push_back(what); }
  void take(const browser::said& what) { said.push_back(what.text); }
  void take(const browser::gone&) { ++gone; }
  template <class Condition>
  bool waits(Condition condition) {
    return eventually([&] {
      const std::lock_guard lock(mutex);
      return condition();
    });
  }

  std::string link() {
    const auto text = transport::test::read_file(folder.path() / "login");
    const auto begin = text.find("/login");
    return text.substr(begin, text.find('\n') - begin);
  }
  raw_answer ask(const std::string& target, const std::string& headers = {}) {
    auto client = raw_tls::connect(port, std::nullopt);
    client.write(fmt::format("GET {} HTTP/1.1\r\nHost: localhost:{}\r\n{}\r\n", target, port, headers));
    return client.read_answer();
  }
  std::string log_in() {
    const auto answer = ask(link());
    CHECK(answer.has("200 OK"));
    const auto begin = answer.head.find("Set-Cookie: ") + 12;
    return answer.head.substr(begin, answer.head.find(';', begin) - begin);
  }
  raw_tls watch(const std::string& cookie) {
    auto client = raw_tls::connect(port, std::nullopt);
    client.write(fmt::format(
        "GET /feed HTTP/1.1\r\nHost: localhost:{0}\r\nOrigin: https://localhost:{0}\r\nCookie: {1}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        port, cookie));
    CHECK(has(client.read_until("\r\n\r\n"), "101 Switching Protocols"));
    return client;
  }
};

TEST_CASE("a browser that is logged in is heard and told, until it goes") {
  served s;
  const auto cookie = s.log_in();
  auto client = s.watch(cookie);
  REQUIRE(s.waits([&] { return s.came.size() == 1; }));
  CHECK(s.came[0].in.may == rights::acts);
  client.write(std::string("\x81\x85\0\0\0\0hello", 11));
  REQUIRE(s.waits([&] { return s.said == std::vector<std::string>{"hello"}; }));
  s.page->send(s.came[0].who, std::make_shared<const std::string>("welcome"));
  CHECK(client.read_exactly(9) == std::string("\x81\x07") + "welcome");
  s.page->close(s.came[0].who, 4401, "over");
  CHECK(client.read_exactly(8) == std::string("\x88\x06\x11\x31over", 8));
  client.shut();
  CHECK(s.waits([&] { return s.gone == 1; }));
  CHECK(s.page->unread_bytes() == 0);
}

TEST_CASE("a browser that does not read is dropped, and nothing is kept for it") {
  served s({.browser_unread_bytes_max = 1 << 20});
  auto client = s.watch(s.log_in()); // reads nothing more
  auto other = s.watch(s.log_in());
  REQUIRE(s.waits([&] { return s.came.size() == 2; }));
  const auto text = std::make_shared<const std::string>(256 << 10, 'x');
  for (int i = 0; i < 1000 && s.page->dropped() == 0; ++i)
    s.page->send(s.came[0].who, text);
  CHECK(s.page->dropped() == 1);
  CHECK(s.waits([&] { return s.gone == 1; }));
  CHECK(eventually([&] { return s.page->unread_bytes() == 0; }));
  s.page->send(s.came[1].who, std::make_shared<const std::string>("still here"));
  CHECK(other.read_exactly(12) == std::string("\x81\x0a") + "still here");
}

TEST_CASE("all browsers together have a bound") {
  served s({.unread_bytes_max = 4 << 20, .browser_unread_bytes_max = 3 << 20});
  auto one = s.watch(s.log_in());
  auto two = s.watch(s.log_in());
  REQUIRE(s.waits([&] { return s.came.size() == 2; }));
  const auto text = std::make_shared<const std::string>(128 << 10, 'x');
  for (int i = 0; i < 1000 && s.page->dropped() == 0; ++i)
    for (const auto& each : s.came) {
      s.page->send(each.who, text);
      CHECK(s.page->unread_bytes() <= (4 << 20) + text->size());
    }
  CHECK(s.page->dropped() > 0);
}

TEST_CASE("so many browsers and no more; those of a former listener are sent away") {
  served s({.browsers_max = 3});
  const auto cookie = s.log_in();
  std::vector<raw_tls> clients;
  for (int i = 0; i < 3; ++i)
    clients.push_back(s.watch(cookie));
  REQUIRE(s.waits([&] { return s.came.size() == 3; }));
  auto late = s.watch(cookie);
  CHECK(late.read_exactly(4).substr(2) == std::string("\x03\xf5")); // 1013
  s.page->listen({});
  CHECK(clients[0].read_exactly(4).substr(2) == std::string("\x03\xf5"));
  auto early = s.watch(cookie); // nobody listens
  CHECK(early.read_exactly(4).substr(2) == std::string("\x03\xf5"));
}

TEST_CASE("what is served is the page, compressed, to those who are in") {
  served s;
  CHECK(s.ask("/").has("401"));
  const auto cookie = "Cookie: " + s.log_in() + "\r\n";
  const auto page = s.ask("/", cookie);
  CHECK(page.has("200 OK"));
  CHECK(page.has("Content-Encoding: gzip"));
  CHECK(page.has("Cache-Control: no-cache"));
  CHECK(page.body.starts_with("\x1f\x8b"));
  CHECK(s.ask("/index.html", cookie).body == page.body);
  CHECK(s.ask("/no-such-file", cookie).has("404"));
  CHECK(s.ask("//etc/passwd", cookie).has("404"));
  CHECK(s.ask("/../login", cookie).has("404"));
  for (const auto& file : page_files()) {
    if (!file.is_for_ever) continue;
    const auto part = s.ask(std::string(file.path), cookie);
    CHECK(part.has("immutable"));
    CHECK(part.body.size() == file.gzipped.size());
  }
}

TEST_CASE("a model is there for those who are in, whole or in part, by its digest alone") {
  temp_folder models;
  served s({.models = models.path()});
  hash32 digest;
  digest.data()[0] = 7;
  write_file(models.path() / model_file_name(digest), "tensors");
  write_file(models.path() / "note.safetensors", "no model");
  CHECK(s.ask(model_path(digest)).has("401"));
  const auto cookie = "Cookie: " + s.log_in() + "\r\n";
  const auto whole = s.ask(model_path(digest), cookie);
  CHECK(whole.has("200 OK"));
  CHECK(whole.has("Content-Disposition: attachment"));
  CHECK(whole.has("Cache-Control: no-store"));
  CHECK(whole.body == "tensors");
  const auto part = s.ask(model_path(digest), cookie + "Range: bytes=2-4\r\n");
  CHECK(part.has("206"));
  CHECK(part.body == "nso");
  CHECK(s.ask(model_path(digest), cookie + "Range: bytes=9-\r\n").has("416"));
  CHECK(s.ask(model_path(hash32{}), cookie).has("404"));
  for (const auto* odd : {"/models/", "/models/note.safetensors", "/models/../login", "/models"})
    CHECK(s.ask(odd, cookie).has("404"));
  auto capitals = model_path(digest);
  capitals[10] = 'A';
  CHECK(model_of_path(capitals) == std::nullopt);
  CHECK(model_of_path(model_path(digest)) == digest);
}

} // namespace ui_page_test
