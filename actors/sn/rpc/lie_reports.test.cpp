#include "actors/sn/rpc/lie_reports.hpp"

#include "actors/sn/rpc/testing/rpc_fixture.hpp"
#include "contracts/registry/client.hpp"

#include <doctest/doctest.h>

namespace lie_reports_test {

using namespace swarm;
using namespace swarm::rpc;
using namespace swarm::rpc::test;
using namespace std::chrono_literals;
using swarm::testing::says;

namespace {

lie_reports::claim claim_of(std::uint8_t accused, ledger::lie about = ledger::lie::view,
                            std::string reporter = "SL a") {
  return {word(accused), about, fmt::format("sn-{}", accused), "alpha", std::move(reporter), "beta"};
}
party party_of(std::uint8_t organisation) {
  return {word(organisation), word(organisation)};
}

/// An SN where nodes 5 (an SN) and 6 (an SL) are members.
struct network : rpc_node {
  network() {
    registers(5, contracts::node_type::sn);
    registers(6, contracts::node_type::sl);
    from.client = word(6);
    from.organisation = word(60);
  }
  void registers(std::uint8_t key, contracts::node_type type) {
    ledger::txn_fields fields;
    fields.gas_limit = 5'000'000;
    fields.to = contracts::node_registry_address();
    fields.data = contracts::encode_register_node(
        {.type = type, .identity = word(key), .name = fmt::format("node-{}", key), .endpoint = "host:1"});
    submit(*ledger::make_signed(fields, test_key(key), chain->chain_id()));
    seal();
  }
  std::string params(std::uint8_t accused, std::string_view about) {
    return fmt::format(R"(["{}","{}"])", hex(word(accused)), about);
  }
};

} // namespace

TEST_CASE("a member says which SN lied to it, and the log and the status say who says so of whom") {
  network sn;
  CHECK(sn.value("swarm_reportLie", sn.params(5, "view")) == json::value(true));
  auto& lies = sn.served->front().lies();
  const auto lines = lies.take_lines();
  REQUIRE(lines.size() == 1);
  CHECK(
      says(lines[0],
           "SL node-6 of no organisation says that the SN node-5 of no organisation lied to it about what a "
           "contract says"));
  const auto shown = lies.to_json(sn.now);
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].at("accused") == js("node-5"));
  CHECK(shown[0].at("reporter") == js("SL node-6"));
  CHECK(shown[0].at("about") == js("view"));
  CHECK(shown[0].at("times") == 1);
}

TEST_CASE("of a certificate that no SN has registered nothing is known, and that is said") {
  network sn;
  std::ignore = sn.value("swarm_reportLie", sn.params(6, "certificate")); // an SL's
  const auto lines = sn.served->front().lies().take_lines();
  REQUIRE(lines.size() == 1);
  CHECK(says(lines[0], "which no SN has registered"));
}

TEST_CASE("whoever is no member is not heard, and neither is nonsense") {
  network sn;
  CHECK(says(sn.error("swarm_reportLie", sn.params(5, "weather")), "-32602"));
  CHECK(says(sn.error("swarm_reportLie", R"(["0x12","view"])"), "-32602"));
  CHECK(says(sn.error("swarm_reportLie", "[]"), "-32602"));
  sn.from.client = word(7);
  CHECK(says(sn.error("swarm_reportLie", sn.params(5, "view")), "only members are heard"));
  CHECK(sn.served->front().lies().count() == 0);
  CHECK(sn.served->front().lies().take_lines().empty());
}

TEST_CASE("one organisation has one line a minute and sixteen claims, whatever it says") {
  lie_reports lies;
  auto now = time_point{} + 1h;
  lies.take(claim_of(1), party_of(9), now);
  for (int i = 0; i < 10'000; ++i)
    lies.take(claim_of(static_cast<std::uint8_t>(i), static_cast<ledger::lie>(i % 6)), party_of(1),
              now += 1ms);
  CHECK(lies.take_lines().size() == 2);
  CHECK(lies.to_json(now).size() == 1 + lie_reports::of_organisation_max); // the other one's is still there
  CHECK(lies.count() == 10'001);
  lies.take(claim_of(200, ledger::lie::view, "SL new"), party_of(1), now += lie_reports::line_interval);
  const auto lines = lies.take_lines();
  REQUIRE(lines.size() == 1);
  CHECK(says(lines[0], "more such claims of this organisation"));
}

TEST_CASE("what is said again is counted, not said again") {
  lie_reports lies;
  const auto now = time_point{} + 1h;
  for (int i = 0; i < 5; ++i)
    lies.take(claim_of(1), party_of(1), now + i * 2 * lie_reports::line_interval);
  CHECK(lies.take_lines().size() == 1);
  const auto shown = lies.to_json(now);
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].at("times") == 5);
}

TEST_CASE("the claims of more organisations than there can be take no room") {
  lie_reports lies;
  for (std::size_t i = 0; i < lie_reports::organisations_max + 50; ++i) {
    auto by = party_of(1);
    by.organisation = hash32(u256(i + 1));
    lies.take(claim_of(1), by, time_point{} + 1h);
  }
  CHECK(lies.to_json(time_point{} + 1h).size() == lie_reports::organisations_max);
}

} // namespace lie_reports_test
