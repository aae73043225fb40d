#include "actors/ui/gate/access.hpp"
#include "actors/ui/gate/request_gate.hpp"
#include "actors/ui/gate/session_book.hpp"

#include <doctest/doctest.h>

#include <set>

namespace ui_gate_test {

using namespace swarm;
using namespace swarm::ui;

using headers = std::vector<std::pair<std::string, std::string>>;

struct door {
  request_gate gate{"127.0.0.1", 30302, {{"page.example.org", 0}, {"other.example.org", 8443}}};
  bool has_tls = true;
  bool is_upgrade = false;

  unsigned get(const headers& with, std::string_view method = "GET", std::string_view target = "/") const {
    const auto no = gate.look({method, target, with, has_tls, is_upgrade});
    return no ? no->status : 200;
  }
  unsigned at(const std::string& host) const { return get({{"Host", host}}); }
  unsigned from(const std::string& origin, std::string_view method = "POST",
                const std::string& host = "127.0.0.1:30302") const {
    return get({{"Host", host}, {"Origin", origin}}, method);
  }
};

TEST_CASE("the page has its names, and no other leads to it") {
  const door page;
  for (const auto* good :
       {"127.0.0.1:30302", "localhost:30302", "LocalHost:30302", "[::1]:30302", "page.example.org:30302",
        "page.example.org", "page.example.org:443", "other.example.org:8443"})
    CHECK_MESSAGE(page.at(good) == 200, good);
  for (const auto* bad : {"evil.example.org:30302", "127.0.0.1", "127.0.0.1:30303", "localhost",
                          "127.0.0.1.evil.org:30302", "localhost:30302@evil.org", "evil.org#localhost:30302",
                          "", ":30302", "0.0.0.0:30302", "other.example.org", "127.0.0.1:30302, evil.org"})
    CHECK_MESSAGE(page.at(bad) == 403, bad);
  CHECK(page.get({}) == 403);
  CHECK(page.get({{"Host", "127.0.0.1:30302"}, {"host", "evil.org"}}) == 403);
  CHECK(request_gate("0.0.0.0", 30302, {})
            .look({"GET", "/", headers{{"Host", "0.0.0.0:30302"}}, true, false})
            .has_value());
}

TEST_CASE("what another page sends is refused by every method, and no WebSocket is its") {
  door page;
  for (const auto* method : {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"}) {
    CAPTURE(method);
    CHECK(page.from("https://127.0.0.1:30302", method) == 200);
    for (const auto* foreign :
         {"https://evil.org", "http://127.0.0.1:30302", "https://127.0.0.1:30303", "https://127.0.0.1",
          "https://localhost:30302", "null", "", "https://127.0.0.1:30302.evil.org", "file://"})
      CHECK_MESSAGE(page.from(foreign, method) == 403, foreign);
    CHECK(page.get({{"Host", "127.0.0.1:30302"},
                    {"Origin", "https://127.0.0.1:30302"},
                    {"Origin", "https://evil.org"}},
                   method)
          == 403);
  }
  page.is_upgrade = true;
  CHECK(page.from("https://127.0.0.1:30302", "GET") == 200);
  CHECK(page.from("https://evil.org", "GET") == 403);
  CHECK(page.at("127.0.0.1:30302") == 403); // without an origin, too
}

TEST_CASE("without an origin only reading is served, and not for other sites' parts") {
  const door page;
  const headers here{{"Host", "127.0.0.1:30302"}};
  CHECK(page.get(here) == 200);
  CHECK(page.get(here, "HEAD") == 200);
  for (const auto* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
    CHECK_MESSAGE(page.get(here, method) == 403, method);
  const auto fetched = [&](const std::string& site, const std::string& mode) {
    return page.get({here.front(), {"Sec-Fetch-Site", site}, {"Sec-Fetch-Mode", mode}});
  };
  CHECK(fetched("cross-site", "no-cors") == 403);
  CHECK(fetched("same-site", "cors") == 403); // another port of this host
  CHECK(fetched("cross-site", "navigate") == 200);
  CHECK(fetched("same-origin", "no-cors") == 200);
  CHECK(fetched("none", "navigate") == 200);
}

TEST_CASE("a proxy that takes TLS off is one that the operator has named") {
  door page;
  page.has_tls = false;
  CHECK(page.from("http://127.0.0.1:30302") == 200);
  CHECK(page.from("https://127.0.0.1:30302") == 403);
  CHECK(page.from("https://page.example.org", "POST", "page.example.org") == 200);
  CHECK(page.from("http://page.example.org", "POST", "page.example.org") == 200);
  page.has_tls = true;
  CHECK(page.from("http://page.example.org", "POST", "page.example.org") == 403);
}

TEST_CASE("targets are paths of a size that makes sense") {
  const door page;
  const headers here{{"Host", "127.0.0.1:30302"}};
  CHECK(page.get(here, "GET", "http://evil.org/") == 400);
  CHECK(page.get(here, "GET", "*") == 400);
  CHECK(page.get(here, "GET", "") == 400);
  CHECK(page.get(here, "GET", "/" + std::string(request_gate::target_bytes_max, 'x')) == 400);
}

TEST_CASE("cookies are found by their whole name") {
  const headers with{{"cookie", "xname=1; name=2;name=; namex=3; name"}, {"COOKIE", "name=4"}};
  CHECK(cookies_of(with, "name") == std::vector<std::string_view>{"2", "", "4"});
  CHECK(cookies_of({}, "name").empty());
  std::string many;
  for (int i = 0; i < 100; ++i)
    many += "name=" + std::to_string(i) + "; ";
  CHECK(cookies_of({{"Cookie", many}}, "name").size() == 4);
}

hash32 numbered(std::uint8_t n) {
  hash32 out;
  out[31] = n;
  return out;
}

struct book {
  std::uint8_t last = 0;
  session_book all{[this] { return numbered(++last); }};
};

TEST_CASE("a token works once, and its cookie for a while") {
  book b;
  const auto token = b.all.token();
  CHECK(token.size() == 64);
  CHECK_FALSE(b.all.exchange("", 1000));
  CHECK_FALSE(b.all.exchange(token.substr(1), 1000));
  CHECK_FALSE(b.all.exchange("0x" + token, 1000));
  const auto cookie = b.all.exchange(token, 1000);
  REQUIRE(cookie);
  CHECK(*cookie != token);
  CHECK_FALSE(b.all.exchange(token, 1000));
  CHECK(b.all.token() != token);
  REQUIRE(b.all.find(*cookie, 1000));
  CHECK(b.all.find(*cookie, 1000)->may == rights::acts);
  CHECK(b.all.find(*cookie, 1000 + session_book::life_ms - 1));
  CHECK_FALSE(b.all.find(*cookie, 1000 + session_book::life_ms));
  CHECK_FALSE(b.all.find("", 1000));
  CHECK_FALSE(b.all.find(b.all.token(), 1000));
  b.all.end(*cookie);
  CHECK_FALSE(b.all.find(*cookie, 1000));
}

TEST_CASE("so many sessions and no more") {
  book b;
  std::vector<std::string> cookies;
  for (std::size_t i = 0; i < session_book::sessions_max + 1; ++i)
    cookies.push_back(*b.all.exchange(b.all.token(), 1000 + i));
  CHECK(b.all.count() == session_book::sessions_max);
  CHECK_FALSE(b.all.find(cookies[0], 2000)); // the oldest went
  CHECK(b.all.find(cookies[1], 2000));
  CHECK(b.all.find(cookies.back(), 2000));
  CHECK(b.all.exchange(b.all.token(), 3000 + session_book::life_ms));
  CHECK(b.all.count() == 1); // the rest has expired
}

transport::certificate_facts person(std::uint8_t number, std::string common_name) {
  transport::certificate_facts out;
  out.fingerprint = numbered(number);
  out.subject_parts = {{"CN", std::move(common_name)}};
  return out;
}

TEST_CASE("certificates read or act as the rules say, names only within the own organisation") {
  const auto anchor = person(200, "CA-1");
  const auto may = [&](const transport::certificate_facts& who, bool own, const access_rules& rules) {
    return rights_of({who, anchor}, own, {}, rules);
  };
  const auto swci = person(1, "swci-1"), sl = person(2, "sl-1"), alice = person(3, "alice");
  CHECK(may(swci, true, {}) == rights::reads);
  CHECK_FALSE(may(swci, false, {}));
  CHECK_FALSE(may(sl, true, {}));
  CHECK_FALSE(may(alice, true, {}));
  const access_rules named{{"bob"}, {"alice", to_hex(numbered(2).view())}};
  CHECK(may(alice, true, named) == rights::acts);
  CHECK_FALSE(may(alice, false, named)); // another authority can call anybody alice
  CHECK(may(sl, false, named) == rights::acts);
  CHECK(may(person(9, "bob"), true, named) == rights::reads);
  CHECK_FALSE(may(swci, true, named)); // those who may read are listed
  CHECK(may(swci, true, {{}, {"alice"}}) == rights::reads);
  CHECK_FALSE(may(person(9, "0x2"), true, named));
}

} // namespace ui_gate_test
