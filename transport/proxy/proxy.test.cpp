#include "transport/proxy/proxy.hpp"

#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

#include <array>

namespace proxy_test {

using namespace swarm;
using namespace swarm::transport;
using swarm::testing::says;

TEST_CASE("a proxy's address is read as curl reads it") {
  struct row {
    std::string_view text, where, user, password;
  };
  constexpr std::array rows{
      row{"http://proxy.example.org:3128", "proxy.example.org:3128", "", ""},
      row{"proxy:8080", "proxy:8080", "", ""},
      row{"proxy", "proxy:1080", "", ""},
      row{"HTTP://10.0.0.9", "10.0.0.9:1080", "", ""},
      row{"http://[fd00::1]:3128/", "[fd00::1]:3128", "", ""},
      row{"http://proxy:3128/any/path?x#y", "proxy:3128", "", ""},
      row{"http://me:secret@proxy:3128", "proxy:3128", "me", "secret"},
      row{"me@proxy:3128", "proxy:3128", "me", ""},
      row{"http://:secret@proxy:3128", "proxy:3128", "", "secret"},
      row{"http://a%40b:p%3A%2F%25%20x@proxy:3128", "proxy:3128", "a@b", "p:/% x"},
      row{"http://me:p@ss:word@proxy:3128", "proxy:3128", "me", "p@ss:word"},
  };
  for (const auto& [text, where, user, password] : rows) {
    CAPTURE(text);
    const auto got = parse_proxy(text);
    REQUIRE(got);
    CHECK(got->where.to_string() == where);
    CHECK(got->user == user);
    CHECK(got->password == password);
    CHECK(got->shown() == "http://" + std::string(where));
    CHECK(shown_proxy(text) == "http://" + std::string(where));
  }
}

TEST_CASE("what is no proxy's address is refused, and not quoted") {
  struct row {
    std::string_view text, why;
  };
  constexpr std::array rows{
      row{"https://me:secret@proxy:3128", "TLS (https) or SOCKS"},
      row{"socks5h://me:secret@proxy:1080", "TLS (https) or SOCKS"},
      row{"ftp://me:secret@proxy:1080", "a scheme that is not http"},
      row{"http://me:secret@", "no host"},
      row{"http://me:secret@:3128", "no host"},
      row{"http://me:secret@proxy:0", "a port that is no number"},
      row{"http://me:secret@proxy:", "a port that is no number"},
      row{"http://me:secret@proxy:70000", "a port that is no number"},
      row{"http://me:secret@pro\\xy:1", "neither a name nor an address"},
      row{"http://me:secret@[::1:1", "no host"},
      row{"http://me:secret%4@proxy:1", "begins no '%XX'"},
      row{"http://me:secret%zz@proxy:1", "begins no '%XX'"},
      row{"http://me%3A:secret@proxy:1", "colon"},
      row{"http://me:secret@proxy:1\r\nX: y", "blanks or control characters"},
      row{"http://me:sec ret@proxy:1", "blanks or control characters"},
  };
  for (const auto& [text, why] : rows) {
    CAPTURE(text);
    const auto got = parse_proxy(text);
    REQUIRE_FALSE(got);
    CHECK(got.error().is(proxy_errc::address));
    CHECK(is_proxy_failure(got.error()));
    CHECK(says(got.error(), why));
    CHECK(got.error().message.find("ecret") == std::string::npos);
    CHECK(shown_proxy(text) == "(not readable)");
  }
  CHECK_FALSE(parse_proxy("http://" + std::string(3000, 'a')));
}

TEST_CASE("who is dialled by the proxy, by the rules of curl") {
  struct row {
    std::string_view no_proxy, host;
    bool direct;
  };
  constexpr std::array rows{
      row{"", "a.example.org", false},
      row{"example.org", "example.org", true},
      row{"example.org", "a.example.org", true},
      row{".example.org", "a.example.org", true},
      row{".example.org", "example.org", true},
      row{"example.org.", "a.example.org", true},
      row{"example.org", "a.example.org.", true},
      row{"EXAMPLE.org", "A.Example.ORG", true},
      row{"example.org", "notexample.org", false},
      row{"a.example.org", "example.org", false},
      row{"other.org, .swarm", "api.sn-1.swarm", true},
      row{"other.org swarm", "api.sn-1.swarm", true},
      row{",, ,swarm,", "api.sn-1.swarm", true},
      row{"*", "example.org", true},
      row{"*", "10.0.0.1", true},
      row{"*.example.org", "a.example.org", false},
      row{"a,*", "example.org", false},
      row{"*,a", "example.org", false},
      row{"10.0.0.1", "10.0.0.1", true},
      row{"10.0.0.1", "10.0.0.10", false},
      row{"0.0.1", "10.0.0.1", false},
      row{"10.0.0.0/8", "10.255.3.4", true},
      row{"10.0.0.0/8", "11.0.0.1", false},
      row{"10.77.1.128/25", "10.77.1.200", true},
      row{"10.77.1.128/25", "10.77.1.100", false},
      row{"10.0.0.1/32", "10.0.0.1", true},
      row{"10.0.0.1/32", "10.0.0.2", false},
      row{"10.0.0.0/0", "10.0.0.1", false},
      row{"10.0.0.0/33", "10.0.0.0", false},
      row{"10.0.0.0/x", "10.0.0.0", false},
      row{"fd00::/8", "fd12::1", true},
      row{"fd00::/8", "fe00::1", false},
      row{"fd00::1", "fd00:0:0::1", true},
      row{"10.0.0.0/8", "fd00::1", false},
      row{"", "localhost", true},
      row{"", "Localhost.", true},
      row{"", "a.localhost", true},
      row{"", "notlocalhost", false},
      row{"", "127.0.0.1", true},
      row{"", "127.9.9.9", true},
      row{"", "::1", true},
      row{"", "128.0.0.1", false},
  };
  for (const auto& [no_proxy, host, direct] : rows) {
    CAPTURE(no_proxy);
    CAPTURE(host);
    const auto rules = proxy_rules::make("http://proxy:3128", no_proxy);
    REQUIRE(rules);
    CHECK((rules->proxy_for(host) == nullptr) == direct);
  }
}

TEST_CASE("without a proxy everybody is dialled directly") {
  CHECK(proxy_rules().proxy_for("example.org") == nullptr);
  const auto rules = proxy_rules::make("", "example.org");
  REQUIRE(rules);
  CHECK(rules->any() == nullptr);
  CHECK(rules->proxy_for("other.org") == nullptr);
  CHECK_FALSE(proxy_rules::make("https://proxy", ""));
  CHECK_FALSE(proxy_rules::make("", std::string(100'000, ',')));
}

} // namespace proxy_test
