#include "config/members/read_members.hpp"

#include <doctest/doctest.h>

namespace read_members_test {

using namespace swarm;
using namespace swarm::members;

namespace {

std::string refused(std::string_view text, members_errc code = members_errc::against_schema) {
  const auto read = read_members(text, "m.yaml");
  REQUIRE_FALSE(read.value);
  CHECK(read.value.error().is(code));
  return read.value.error().message;
}

} // namespace

TEST_CASE("rules are read with all that they may say") {
  const auto read = read_members(R"(rules:
  - match:
      anchor: 01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13:14:15:16:17:18:19:1a:1b:1c:1d:1e:1f:20
      issuer: { CN: CA-1, O: Org }
      subject: { CN: "head-*" }
      dns: "*.org"
      uri: spiffe://org/*
      ip: 10.0.0.1
      email: "*@org"
    organisation: Hospital A
    roles: [SN, SWCI]
  - match: {}
    roles: [SL]
)",
                                 "m.yaml");
  REQUIRE(read.value);
  CHECK(read.warnings.empty());
  REQUIRE(read.value->rules.size() == 2);
  const auto& first = read.value->rules.front();
  CHECK(first.line == 2);
  REQUIRE(first.when.anchor);
  CHECK(to_hex(first.when.anchor->view(), false)
        == "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20");
  CHECK(first.when.issuer == std::vector<transport::name_part>{{"CN", "CA-1"}, {"O", "Org"}});
  CHECK(first.when.subject == std::vector<transport::name_part>{{"CN", "head-*"}});
  CHECK(first.when.dns == "*.org");
  CHECK(first.when.uri == "spiffe://org/*");
  CHECK(first.when.ip == "10.0.0.1");
  CHECK(first.when.email == "*@org");
  CHECK(first.organisation == "Hospital A");
  CHECK(first.roles == role_set{role::sn, role::swci});
  CHECK(read.value->rules.back().roles == role_set{role::sl});
  CHECK(read.value->file == "m.yaml");
}

TEST_CASE("what is wrong is told with line and column") {
  CHECK(refused("rules:\n  - match: {}\n    roles: [SN, boss]\n")
            .starts_with("m.yaml:3:17: rules[0].roles[1]: "));
  CHECK(refused("rules:\n  - match: {}\n").starts_with("m.yaml:2:5: rules[0]: fewer than 2 keys"));
  CHECK(refused("rules:\n  - roles: [SN]\n    organisation: x\n").find("rules[0].match: missing")
        != std::string::npos);
  CHECK(refused("rules:\n  - match: { anchor: 12 }\n    roles: [SN]\n").starts_with("m.yaml:2:22: "));
  CHECK(refused("rules:\n  - match: { subject: SN }\n    roles: [SN]\n").find("CN: SN-1")
        != std::string::npos);
  CHECK(refused("rules:\n  - match: { colour: red }\n    roles: [SN]\n").starts_with("m.yaml:2:14: "));
  CHECK(refused("rules: []\n").starts_with("m.yaml:1:8: rules: "));
  CHECK(refused("").find("m.yaml") == 0);
  CHECK(refused("rules: [", members_errc::not_a_document).starts_with("m.yaml:1:"));
  // Both mistakes are told at once.
  const auto both = refused("rules:\n  - match: {}\n    roles: [x]\n  - match: {}\n    role: [SN]\n");
  CHECK(both.find("m.yaml:3:13:") != std::string::npos);
  CHECK(both.find("m.yaml:5:5:") != std::string::npos);
}

TEST_CASE("keys in another case are read with a warning") {
  const auto read = read_members("Rules:\n  - Match: {}\n    organization: x\n", "m.yaml");
  REQUIRE(read.value);
  CHECK(read.value->rules.front().organisation == "x");
  CHECK(read.warnings.size() == 3);
}

} // namespace read_members_test
