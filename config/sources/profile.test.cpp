#include "config/sources/profile.hpp"

#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace profile_test {

using namespace swarm;
using namespace swarm::config;
using swarm::testing::says;
using swarm::testing::wording;

namespace {

/// The message that a profile is refused with, or "accepted".
wording message(std::string_view text) {
  problems found;
  const auto read = read_profile(text, "/etc/swarm/host.yaml", found);
  if (!read) return read.error().message;
  const auto outcome = found.outcome();
  return outcome ? "accepted" : outcome.error().message;
}

config_errc code(std::string_view text) {
  problems found;
  if (const auto read = read_profile(text, "f", found); !read)
    return static_cast<config_errc>(read.error().code);
  return static_cast<config_errc>(found.outcome().error().code);
}

} // namespace

TEST_CASE("a profile has settings for all roles, one SN and several SLs") {
  problems found;
  const auto read = read_profile("host-ip: 10.0.0.1\n"
                                 "cert: certs/node.pem\n"
                                 "key: /abs/node.key\n"
                                 "sn:\n"
                                 "  sentinel: true\n"
                                 "  contract: [one, two]\n"
                                 "sl:\n"
                                 "  - {sl-fs-port: 16000}\n"
                                 "  - {sl-fs-port: '16001', request-channel: ../run/a}\n",
                                 "/etc/swarm/host.yaml", found);
  REQUIRE(found.empty());
  REQUIRE(read);
  CHECK(read->common.at("host-ip").front().text == "10.0.0.1");
  CHECK(read->common.at("host-ip").front().origin == "/etc/swarm/host.yaml:1:10");
  CHECK(read->common.at("cert").front().text == "/etc/swarm/certs/node.pem");
  CHECK(read->common.at("key").front().text == "/abs/node.key");
  REQUIRE(read->section("sn"));
  REQUIRE(read->section("sn")->size() == 1);
  CHECK(read->section("sn")->front().at("contract").size() == 2);
  CHECK(read->section("sn")->front().at("contract").back().text == "two");
  REQUIRE(read->section("sl"));
  REQUIRE(read->section("sl")->size() == 2);
  CHECK(read->section("sl")->back().at("sl-fs-port").front().text == "16001");
  CHECK(read->section("sl")->back().at("request-channel").front().text == "/etc/run/a");
}

TEST_CASE("a role with nothing in it has its defaults, a role not named is not there") {
  problems found;
  const auto read = read_profile("sn:\n", "f", found);
  REQUIRE(read);
  CHECK(found.empty());
  REQUIRE(read->section("sn"));
  CHECK(read->section("sn")->size() == 1);
  CHECK(!read->section("sl"));
  CHECK(message("") == "accepted");
}

TEST_CASE("a key nobody knows is named with its place and the nearest one that is known") {
  CHECK(message("sn-api-prt: 3")
        == "/etc/swarm/host.yaml:1:1: unknown key 'sn-api-prt' at the top of a profile; did you "
           "mean 'sn-api-port'?");
  CHECK(message("sn:\n  sentinle: 1\n")
        == "/etc/swarm/host.yaml:2:3: unknown key 'sentinle' in an 'sn' section; did you mean 'sentinel'?");
  CHECK(message("sl:\n  - banana: 1\n")
        == "/etc/swarm/host.yaml:2:5: unknown key 'banana' in an 'sl' section");
  CHECK(message("s: 1").ends_with("unknown key 's' at the top of a profile"));
  CHECK(message("sm: {}").ends_with("unknown key 'sm' at the top of a profile; did you mean 'sn'?"));
  CHECK(message("sn:\n  sl-fs-port: 3\n")
        == "/etc/swarm/host.yaml:2:3: 'sl-fs-port' is no setting of this role; move it to the role that it "
           "is for");
  CHECK(code("x: 1") == config_errc::unknown_key);
}

TEST_CASE("wrong types say what is expected") {
  const std::string place = "/etc/swarm/host.yaml:1:";
  CHECK(message("host-ip: [1]") == place + "10: 'host-ip' has a list as its value; expected a single value");
  CHECK(message("sn-api-port: {a: 1}")
        == place + "14: 'sn-api-port' has a mapping as its value; expected a number");
  CHECK(message("sentinel: ~") == place + "11: 'sentinel' has nothing as its value; expected true or false");
  CHECK(message("cert: []") == place + "7: 'cert' has a list as its value; expected a path");
  CHECK(message("contract: {}")
        == place + "11: 'contract' has a mapping as its value; expected a name or a list of names");
  CHECK(message("contract: [[a]]")
        == place + "12: 'contract' has a list as its value; expected a name or a list of names");
  CHECK(message("sl: 7")
        == place
               + "5: a single value in an 'sl' section; expected a mapping of settings, such as "
                 "'host-ip: 192.168.1.10'");
  CHECK(message("sl: [[]]").starts_with(place + "6: a list in an 'sl' section"));
  CHECK(message("sl: []") == place + "5: an empty list; name at least one role or remove the key");
  CHECK(message("- 1")
        == place
               + "1: a list; a profile is a mapping of settings and of the roles 'sn', 'sl', 'swop', "
                 "'swci' and 'ui'");
  CHECK(says(message("just words"), "a single value; a profile is"));
  CHECK(code("host-ip: [1]") == config_errc::wrong_type);
  CHECK(code("- 1") == config_errc::wrong_type);
}

TEST_CASE("the same key twice is refused with both places") {
  CHECK(message("sn:\n  sn-api-port: 1\n  sn-api-port: 2\n")
        == "/etc/swarm/host.yaml:3:3: 'sn-api-port' is given again (first in line 2); keep one of them");
  CHECK(message("sl: {}\nsl: {}\n")
        == "/etc/swarm/host.yaml:2:1: 'sl' is given again (first in line 1); keep one of them");
  CHECK(code("key: a\nkey: b") == config_errc::duplicate_key);
}

TEST_CASE("every mistake is reported, one line each") {
  CHECK(message("x: 1\nhost-ip: []\n")
        == "/etc/swarm/host.yaml:1:1: unknown key 'x' at the top of a profile\n"
           "/etc/swarm/host.yaml:2:10: 'host-ip' has a list as its value; expected a single value");
}

TEST_CASE("the number of roles is bounded") {
  std::string text = "sl:\n";
  for (std::size_t i = 0; i <= roles_max; ++i)
    text += "  - {}\n";
  CHECK(message(text).ends_with("257 roles; at most 256 in one process"));
}

} // namespace profile_test
