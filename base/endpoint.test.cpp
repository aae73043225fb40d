#include "base/endpoint.hpp"

#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace endpoint_test {

using namespace swarm;
using swarm::testing::wording;

namespace {

wording why_not(std::string_view text) {
  const auto parsed = endpoint::parse(text);
  return parsed ? "no error" : parsed.error().message;
}

} // namespace

TEST_CASE("an endpoint is read and written back") {
  const auto name = endpoint::parse("node-1.example_x.org:30305").value();
  CHECK(name == endpoint{"node-1.example_x.org", 30305});
  const auto v6 = endpoint::parse("[fe80::A:1]:443").value();
  CHECK(v6 == endpoint{"fe80::A:1", 443});
  for (const auto* text :
       {"sn:1", "10.0.0.1:65535", "[::1]:443", "[::ffff:10.0.0.1]:1", "host.:1", "_sn.x:1"})
    CHECK(endpoint::parse(text).value().to_string() == text);
  CHECK(endpoint::parse(std::string(253, 'a') + ":65535"));
  CHECK(host_port("::1", 5) == "[::1]:5");
  CHECK(host_port("a", 5) == "a:5");
}

TEST_CASE("what is no endpoint is refused with the reason") {
  const auto form = [](std::string_view text, std::string_view why) {
    return fmt::format("'{}' is no endpoint of the form host:port: {}", text, why);
  };
  CHECK(why_not("sn") == form("sn", "there is no port"));
  CHECK(why_not("") == form("", "there is no port"));
  CHECK(why_not("[::1]") == form("[::1]", "there is no port"));
  for (const auto* text : {"sn:", "sn:0", "sn:65536", "sn:080", "sn:8x", "sn:-1", "sn:+1", "sn:80 ", ":"})
    CHECK(why_not(text) == form(text, "the port must be a number from 1 to 65535"));
  CHECK(why_not(":80") == form(":80", "the host is missing or too long"));
  for (const auto* text : {"sn :80", "-sn:80", "sn-:80", ".sn:80", "sn/:80", "a@b:80"})
    CHECK(why_not(text) == form(text, "the host has characters that no name or address has"));
  for (const auto* text : {"[]:80", "[1.2.3.4]:80", "[fe80::1%eth0]:80", "[sn]:80"})
    CHECK(why_not(text) == form(text, "the brackets hold no IPv6 address"));
  CHECK(why_not("[::1:80") == form("[::1:80", "no closing bracket"));
  CHECK(why_not("[::1]80") == form("[::1]80", "text after the bracket"));
  CHECK(why_not("::1:80") == form("::1:80", "an IPv6 address belongs in brackets: [address]:port"));
  CHECK(why_not("\x01:80") == form("...", "the host has characters that no name or address has"));
  const auto long_host = std::string(254, 'a') + ":1";
  CHECK(why_not(long_host) == form(long_host, "the host is missing or too long"));
  CHECK(why_not(std::string(300, 'a')) == form(std::string(261, 'a'), "it is too long"));
}

TEST_CASE("host and port are taken apart, the port may be missing") {
  const auto parts = [](std::string_view text) { return split_host_port(text).value(); };
  CHECK(parts("sn").host == "sn");
  CHECK(!parts("sn").port);
  CHECK(parts("sn:").port == "");
  CHECK(parts("::1").host == "::1");
  CHECK(!parts("::1").port);
  CHECK(!parts("::1").bracketed);
  CHECK(parts("[::1]").host == "::1");
  CHECK(parts("[::1]").bracketed);
  CHECK(parts("[::1]:x").port == "x");
  CHECK(!split_host_port("[::1"));
  CHECK(!split_host_port("[::1]x"));
}

} // namespace endpoint_test
