#include "transport/spiffe/spiffe_id.hpp"

#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace spiffe_id_test {

using namespace swarm;
using namespace swarm::transport;
using swarm::testing::says;

namespace {

std::string trouble(std::string_view text) {
  const auto id = spiffe_id::parse(text);
  return id ? std::string("accepted") : id.error().message;
}

} // namespace

TEST_CASE("a SPIFFE ID has a trust domain and a path") {
  const auto id = spiffe_id::parse("spiffe://org1.swarm.learning/ns_1/SN-1");
  REQUIRE(id);
  CHECK(id->trust_domain == "org1.swarm.learning");
  CHECK(id->path == "/ns_1/SN-1");
  CHECK(id->to_string() == "spiffe://org1.swarm.learning/ns_1/SN-1");
  CHECK(spiffe_id::parse("spiffe://org1")->path.empty());
}

TEST_CASE("what is no SPIFFE ID is refused, and said to be") {
  CHECK(says(trouble("https://org1/sn"), "does not begin with spiffe://"));
  CHECK(says(trouble("SPIFFE://org1/sn"), "does not begin with spiffe://"));
  CHECK(says(trouble("spiffe:///sn"), "names no trust domain"));
  CHECK(says(trouble("spiffe://" + std::string(256, 'a') + "/sn"), "more than 255 bytes"));
  for (const auto* text :
       {"spiffe://Org1/sn", "spiffe://org1:8081/sn", "spiffe://me@org1/sn", "spiffe://o%41/sn"})
    CHECK(says(trouble(text), "lower case letters"));
  for (const auto* text : {"spiffe://org1/", "spiffe://org1//sn", "spiffe://org1/sn/", "spiffe://org1/./sn",
                           "spiffe://org1/../sn"})
    CHECK(says(trouble(text), "empty, '.' or '..'"));
  for (const auto* text :
       {"spiffe://org1/s%6E", "spiffe://org1/sn?x=1", "spiffe://org1/sn#1", "spiffe://org1/s n"})
    CHECK(says(trouble(text), "path has other characters"));
  CHECK(says(trouble("spiffe://org1/" + std::string(2048, 'a')), "more than 2048"));
}

TEST_CASE("a trust domain is given by its name or by its ID") {
  CHECK(parse_trust_domain("org1.example") == std::string("org1.example"));
  CHECK(parse_trust_domain("spiffe://org1.example") == std::string("org1.example"));
  CHECK(says(parse_trust_domain("spiffe://org1/sn").error().message, "the ID of a node"));
  CHECK(!parse_trust_domain("org1/sn"));
  CHECK(!parse_trust_domain(""));
}

TEST_CASE("nodes, trust domains and others' nodes have different digests") {
  const auto node = digest_of({"org1", "/sn"});
  CHECK(node != digest_of({"org1", "/sl"}));
  CHECK(node != digest_of({"org2", "/sn"}));
  CHECK(node != digest_of_trust_domain("org1"));
  CHECK(digest_of_trust_domain("org1") == digest_of({"org1", ""}));
}

} // namespace spiffe_id_test
