#include "config/members/member_rules.hpp"

#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace member_rules_test {

using namespace swarm;
using namespace swarm::members;
using swarm::testing::says;

namespace {

/// A certificate with these CNs, of an authority of this name.
struct sample {
  certificate_facts certificate;
  certificate_facts anchor;

  explicit sample(std::vector<std::string> names, std::string authority = "CN=CA-1") {
    for (auto& each : names)
      certificate.subject_parts.push_back({"CN", std::move(each)});
    certificate.subject = "CN=" + (names.empty() ? "none" : certificate.subject_parts.front().value);
    anchor.subject = std::move(authority);
    anchor.fingerprint.fill(7);
  }
  operator proved() const { return {certificate, anchor}; }
};

role_set by_name(std::string name) {
  return roles_of(sample({std::move(name)}), {});
}

role_set by_uri(std::string uri) {
  sample one({});
  one.certificate.uris = {std::move(uri)};
  return roles_of(one, {});
}

rule with_roles(match when, role_set roles) {
  return {std::move(when), std::nullopt, roles, 1};
}

} // namespace

TEST_CASE("a CN says the roles, as gen-cert makes it") {
  for (const auto* name : {"SN-1", "sn-1", "Sn", "sn12", "sn.hospital-a.example", "host7_sn"})
    CHECK(by_name(name) == role_set{role::sn});
  CHECK(by_name("SL-1") == role_set{role::sl});
  CHECK(by_name("swop-2") == role_set{role::swop});
  CHECK(by_name("SWCI-1") == role_set{role::swci});
  CHECK(by_name("sn-swci-1") == role_set{role::sn, role::swci});
  CHECK(by_name("SN, SL and SWOP of host 3") == role_set{role::sn, role::sl, role::swop});
  CHECK(roles_of(sample({"sn-1", "swci-1"}), {}) == role_set{role::sn, role::swci});
}

TEST_CASE("what names no role is an SL's") {
  for (const auto* name :
       {"", "probe", "snow", "snack-1", "1sn", "slave", "swops", "sn\xc3\xa9", "s-n", "hospital-a"})
    CHECK(by_name(name) == role_set{role::sl});
  CHECK(roles_of(sample({}), {}) == role_set{role::sl});
  sample other({});
  other.certificate.subject_parts = {{"OU", "SN"}, {"O", "SN-1"}};
  other.certificate.dns_names = {"sn-1"};
  CHECK(roles_of(other, {}) == role_set{role::sl});
}

TEST_CASE("of a certificate without a CN the rule that would let it in names the URI") {
  certificate_facts facts, anchor;
  facts.uris = {"spiffe://org/data"};
  CHECK(says(refusal({facts, anchor}, role::swci, {}), "uri: \"spiffe://org/data\" }, roles: [SWCI]"));
}

TEST_CASE("the path of a SPIFFE ID says the roles") {
  CHECK(by_uri("spiffe://org1/sn") == role_set{role::sn});
  CHECK(by_uri("SPIFFE://org1/ns/swarm/SWCI") == role_set{role::swci});
  CHECK(by_uri("spiffe://org1/sn/swop") == role_set{role::sn, role::swop});
  for (const auto* uri :
       {"spiffe://sn", "spiffe://sn.org/", "spiffe://org/sn-1", "https://org/sn", "spiffe:/sn", ""})
    CHECK(by_uri(uri) == role_set{role::sl});
}

TEST_CASE("the first rule that matches counts; what it leaves open is decided by default") {
  member_rules rules;
  rules.rules = {with_roles({.subject = {{"CN", "head-*"}}}, {role::sn, role::swci}),
                 {{.subject = {{"CN", "*"}}}, "Hospital A", std::nullopt, 2}};
  const sample head({"head-7"}), other({"swop-1"}), none({});
  CHECK(roles_of(head, rules) == role_set{role::sn, role::swci});
  CHECK(organisation_of(head, rules) == "CN=CA-1");
  CHECK(roles_of(other, rules) == role_set{role::swop});
  CHECK(organisation_of(other, rules) == "Hospital A");
  CHECK(organisation_of(none, rules) == "CN=CA-1");
}

TEST_CASE("whatever a rule gives must fit") {
  sample one({"x"});
  auto& facts = one.certificate;
  facts.issuer_parts = {{"O", "Org"}, {"CN", "CA-1"}};
  facts.dns_names = {"a.org", "b.org"};
  facts.uris = {"spiffe://org/data"};
  facts.ip_addresses = {"10.0.0.1"};
  facts.emails = {"who@org"};
  const auto hits = [&](match when) {
    member_rules rules;
    rules.rules = {with_roles(std::move(when), {role::sn})};
    return roles_of(one, rules).has(role::sn);
  };
  CHECK(hits({}));
  CHECK(hits({.issuer = {{"O", "Org"}, {"CN", "CA-*"}}}));
  CHECK_FALSE(hits({.issuer = {{"O", "Org"}, {"CN", "CA-2"}}}));
  CHECK_FALSE(hits({.issuer = {{"CN", "Org"}}}));
  CHECK(hits({.dns = "b.*"}));
  CHECK_FALSE(hits({.dns = "org"}));
  CHECK(hits({.uri = "spiffe://*/data"}));
  CHECK(hits({.ip = "10.0.0.*"}));
  CHECK(hits({.email = "*@org"}));
  CHECK_FALSE(hits({.email = "*@other"}));
  CHECK(hits({.anchor = one.anchor.fingerprint}));
  CHECK_FALSE(hits({.anchor = hash32{}})); // whatever the other authority calls itself
  CHECK_FALSE(hits({.anchor = hash32{}, .dns = "b.org"}));
}

TEST_CASE("a star stands for any characters, or none") {
  const auto fits = [](const char* pattern, const char* name) {
    member_rules rules;
    rules.rules = {with_roles({.subject = {{"CN", pattern}}}, {role::sn})};
    return roles_of(sample({name}), rules).has(role::sn);
  };
  CHECK(fits("*", "anything"));
  CHECK(fits("a*", "a"));
  CHECK(fits("*b", "ab"));
  CHECK(fits("a*b*c", "aXbYbZc"));
  CHECK(fits("**", "a"));
  CHECK_FALSE(fits("a*b", "ac"));
  CHECK_FALSE(fits("a", "ab"));
  CHECK_FALSE(fits("A", "a"));
  const std::string hostile(256, 'a'); // nothing here takes exponential time
  CHECK_FALSE(fits("*a*a*a*a*a*a*a*a*a*a*a*a*b", hostile.c_str()));
}

TEST_CASE("a refusal names certificate, organisation and the rule that would let it in") {
  const sample one({"sl-1"});
  const auto words = refusal(one, role::swci, {});
  CAPTURE(words);
  for (const auto* part :
       {"CN=sl-1", "CN=CA-1", "is for SL by its CN and SPIFFE ID, not for SWCI", "SWCI-1", "ends in /swci",
        "--members", "anchor: 0707", "subject: { CN: sl-1 }", "roles: [SWCI]"})
    CHECK(words.find(part) != std::string::npos);
  member_rules rules{"members.yaml", {{{}, "Hospital A", role_set{role::sl}, 4}}};
  const auto by_rule = refusal(one, role::sn, rules);
  CAPTURE(by_rule);
  CHECK(by_rule.find("by the rule in line 4 of members.yaml") != std::string::npos);
  CHECK(by_rule.find("Hospital A") != std::string::npos);
}

} // namespace member_rules_test
