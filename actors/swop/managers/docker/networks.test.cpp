#include "actors/swop/managers/docker/networks.hpp"

#include "base/testing/wording.hpp"

#include <doctest/doctest.h>

namespace networks_test {

using namespace swarm;
using namespace swarm::managers;
using swarm::testing::wording;

namespace {

const engine::network_facts site{
    "1", "site", "bridge", {"10.7.0.0/24", "fd07::/64"}, {"10.7.0.1", "fd07::1"}};

} // namespace

TEST_CASE("an address is one that its network can give") {
  for (const char* good : {"10.7.0.2", "10.7.0.254", "fd07::2", "fd07:0:0:0::9"})
    CHECK(check_address(site, good));
  for (const char* bad : {"10.7.1.2", "fd08::2", "127.0.0.1"}) {
    const auto told = check_address(site, bad);
    REQUIRE_FALSE(told);
    CHECK(wording(told.error()).contains("is not in the network site, which has 10.7.0.0/24 and fd07::/64"));
  }
  for (const char* own : {"10.7.0.0", "10.7.0.1", "10.7.0.255", "fd07::", "fd07::1"})
    CHECK(wording(check_address(site, own).error()).contains("that of the network site"));
  for (const char* none : {"", "10.7.0", "10.7.0.2/24", "sl1"})
    CHECK(wording(check_address(site, none).error()).contains("is no address"));
  // What the engine does not say is not ours to judge.
  CHECK(check_address({"1", "odd", "macvlan", {""}, {}}, "10.1.1.1"));
}

TEST_CASE("what a container takes of its host is named") {
  container_spec what;
  CHECK(taken_by(what).empty());
  what.ports = {{16000, 30305}};
  CHECK(taken_by(what) == "the port 16000 of this host");
  what.network = "site";
  what.address = "10.7.0.2";
  CHECK(taken_by(what) == "the address 10.7.0.2 in the network site and the port 16000 of this host");
}

} // namespace networks_test
