#include "config/values.hpp"

#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace values_test {

using namespace swarm;
using namespace swarm::config;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

template <class T>
wording message(const result<T>& r) {
  return r ? "accepted" : r.error().message;
}

} // namespace

TEST_CASE("ports are whole numbers from 1 to 65535") {
  CHECK(to_port("1") == 1);
  CHECK(to_port("65535") == 65535);
  for (const auto* text : {"0", "65536", "-1", "+1", "1.5", " 1", "1 ", "", "0x10", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK(message(to_port(text)) == fmt::format("'{}' is not a port; give a number from 1 to 65535", text));
  }
}

TEST_CASE("where any port will do, 0 says so") {
  CHECK(to_port_or_any("0") == 0);
  CHECK(to_port_or_any("30305") == 30305);
  CHECK(message(to_port_or_any("00")) == "'00' is not a port; give a number from 1 to 65535");
}

TEST_CASE("hosts are IP literals or names") {
  for (const auto* text :
       {"192.168.1.10", "::1", "fe80::1", "localhost", "node1.example.org", "sl1", "a_b", "x.swarm."})
    CHECK(to_host(text) == std::string(text));
  for (const auto* text :
       {"", "300.1.1.1", "1.2.3", "10", "a b", "-a", "a-", "a..b", ".", "http://x", "a/b", ":::"}) {
    CAPTURE(text);
    CHECK(message(to_host(text))
          == fmt::format("'{}' is neither an IP address nor a host name; give one such as 192.168.1.10 or "
                         "node1.example.org",
                         text));
  }
  CHECK(!to_host(std::string(64, 'a')));
  CHECK(!to_host(std::string_view("a\0b", 3)));
  std::string long_name = std::string(63, 'a');
  for (int i = 0; i < 3; ++i)
    long_name += "." + std::string(63, 'a');
  CHECK(!to_host(long_name));
}

TEST_CASE("IPv6 hosts may stand in brackets") {
  CHECK(to_host("::1") == "::1");
  CHECK(to_host("[fe80::1]") == "fe80::1");
  CHECK(!to_host("[10.0.0.1]"));
  CHECK(!to_host("[]"));
  CHECK(!to_host("[::1"));
  CHECK(is_ipv6("::1"));
  CHECK(!is_ipv6("node1.example.org"));
}

TEST_CASE("addresses to listen on are IP literals") {
  CHECK(to_ip("0.0.0.0"));
  CHECK(to_ip("::"));
  CHECK(message(to_ip("localhost"))
        == "'localhost' is not an IP address; give one such as 192.168.1.10, 0.0.0.0 or ::1");
}

TEST_CASE("services are names with an optional port") {
  CHECK(to_service("api.sn-1.swarm", 443) == service{"api.sn-1.swarm", 443});
  CHECK(to_service("api.sn-1.swarm:30304", 443) == service{"api.sn-1.swarm", 30304});
  CHECK(to_service("10.0.0.1:1", 443) == service{"10.0.0.1", 1});
  CHECK(to_service("[::1]:8443", 443) == service{"::1", 8443});
  CHECK(to_service("[::1]", 443) == service{"::1", 443});
  CHECK(to_service("::1", 443) == service{"::1", 443});
  auto why = [](std::string_view text) { return message(to_service(text, 443)); };
  CHECK(why("a:0")
        == "'a:0' is not a service (its port is not a number from 1 to 65535); give NAME or NAME:PORT, e.g. "
           "api.sn-1.swarm:443");
  CHECK(says(why("a:"), "its port"));
  CHECK(says(why(":443"), "its host is neither"));
  CHECK(says(why("[::1"), "no closing bracket"));
  CHECK(says(why("[::1]x"), "text after the bracket"));
  CHECK(says(why(""), "its host"));
}

TEST_CASE("flags are words for yes and no in any case") {
  for (const auto* text : {"1", "true", "True", "YES", "on"})
    CHECK(to_flag(text) == true);
  for (const auto* text : {"0", "false", "False", "NO", "off"})
    CHECK(to_flag(text) == false);
  CHECK(message(to_flag("banana")) == "'banana' is neither true nor false");
  CHECK(!to_flag(""));
}

TEST_CASE("states are kept of enough blocks, or of all") {
  CHECK(to_kept_states("604800").value() == 604'800);
  CHECK(to_kept_states("1024").value() == 1024);
  for (const auto* all : {"0", "all", "ALL"})
    CHECK(to_kept_states(all).value() == 0);
  for (const auto* bad : {"", "1", "1023", "-1", "1e6", "none", "1000000000001"})
    CHECK_FALSE(to_kept_states(bad));
  CHECK(says(to_kept_states("5").error(), "at least 1024"));
  CHECK(to_merge_count("0").value() == 0);
  CHECK(to_merge_count("1000").value() == 1000);
  for (const auto* bad : {"", "-1", "1001", "all", "3 "})
    CHECK_FALSE(to_merge_count(bad));
}

TEST_CASE("waiting times have a least and a greatest") {
  CHECK(to_seconds("600") == std::chrono::seconds(600));
  CHECK(to_byte_count("1") == 1);
  CHECK(to_byte_count("20G") == std::uint64_t{20} << 30);
  CHECK(to_byte_count("3k") == 3072);
  for (const auto* text : {"", "G", "0", "-1", "1.5G", "20GB", "20 G", "9223372036854775807T"})
    CHECK(!to_byte_count(text));
  CHECK(to_block_hash("0x" + std::string(64, 'B')).value()[31] == 0xbb);
  for (const auto* text : {"", "0x", "0x12", "zz"})
    CHECK(!to_block_hash(text));
  CHECK(!to_block_hash(std::string(64, 'a')));
  CHECK(!to_block_hash("0x" + std::string(64, 'g')));
  CHECK(to_group("swarm-ml") == "swarm-ml");
  CHECK(to_group("1000") == "1000");
  for (const auto* text : {"", "-x", "a b", "a/b"})
    CHECK(!to_group(text));
  CHECK(to_minutes("10080") == std::chrono::minutes(10080));
  for (const auto text : {"0", "10081", "x", "-1"})
    CHECK(!to_minutes(text));
  CHECK(to_user("0") == 0u);
  CHECK(to_user("4294967294") == 4294967294u);
  for (const auto text : {"4294967295", "-1", "root", ""})
    CHECK(!to_user(text));
  for (const auto* text : {"0", "-1", "604801", "1s", ""})
    CHECK(message(to_seconds(text))
          == fmt::format("'{}' is not a number of seconds from 1 to 604800 (a week)", text));
}

TEST_CASE("names are short and fit for a file name") {
  CHECK(to_name("defaultbb.cqdb.sml.hpe"));
  CHECK(to_name(std::string(64, 'n')));
  CHECK(message(to_name(std::string(65, 'n')))
        == fmt::format("the name '{}' has 65 bytes; at most 64 are allowed", std::string(65, 'n')));
  for (const auto* text : {"", ".", "..", "-x", "a/b", "a b", "\xc3\xa4", "a\n"}) {
    CAPTURE(text);
    CHECK(says(message(to_name(text)), "cannot be a name; use letters, digits"));
  }
}

TEST_CASE("paths are bounded and free of control characters") {
  CHECK(to_path("/tmp/x y"));
  CHECK(message(to_path("")) == "the path is empty");
  CHECK(message(to_path("a\nb")) == "the path 'a?b' has control characters in it");
  CHECK(says(message(to_path(std::string(4096, 'a'))), "has 4096 bytes; at most 4095"));
}

TEST_CASE("log levels") {
  CHECK(to_level("warn") == log::level::warning);
  CHECK(to_level("OFF") == log::level::off);
  CHECK(message(to_level("loud"))
        == "'loud' is not a log level; give TRACE, DEBUG, INFO, WARNING, ERROR or OFF");
}

TEST_CASE("outside text is made fit to print") {
  CHECK(printable("a\x1b[31mb") == "a?[31mb");
  CHECK(printable("a\u202eb\u00e4") == "a\ufffdb\u00e4");
  CHECK(printable("a\xff\xe4") == "a??");
  CHECK(printable(std::string(1000, 'x')).size() == 83);
  CHECK(printable(std::string(79, 'x') + "\xf0\x9f\x98\x80")
        == std::string(79, 'x') + "..."); // no half characters
  CHECK(printable(std::string(76, 'x') + "\xf0\x9f\x98\x80") == std::string(76, 'x') + "\xf0\x9f\x98\x80");
}

} // namespace values_test
