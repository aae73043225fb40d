#include "actors/sn_client/session/testing/proved_rig.hpp"
#include "ledger/proof/trust_chain.hpp"

#include <doctest/doctest.h>

namespace newcomer_test {

using namespace swarm;
using namespace swarm::session;
using namespace swarm::session::test;

namespace {

event::presented certificate_under(std::uint8_t anchor) {
  return {hash32(u256(anchor + 10)), hash32(u256(anchor)), "CN=SN"};
}

/// A node that knows no network, an SN of one organisation, and one of another.
struct newcomer : proved_rig {
  newcomer() {
    rig.certificates = {{"own:1", certificate_under(1)}, {"b:2", certificate_under(2)}};
    liar = "b:2";
  }
  /// Up to the moment when the first SN has told of the others.
  void meet_first() {
    rig.up();
    rig.serve();
  }
  void check_alone() {
    go_on(5s);
    CHECK(talks_to() == "own:1");
    CHECK(rig.machine.registered());
    CHECK(rig.kept_genesis.size() == 1);
    CHECK(rig.said("says so alone"));
  }
};

/// The genesis block of another network with the same validators.
void show_other_network(const request& to, json::object& fields) {
  if (to.method != "swarm_validatorChanges" || !to.params.empty()) return;
  auto& first = fields["result"].as_array().at(0);
  auto shown = *ledger::decode_handover(*from_hex(std::string_view(first.as_string())));
  auto header = *ledger::decode_header(shown.block.header);
  header.timestamp += 1;
  shown.block.header = ledger::encode_header(header);
  first = to_hex(ledger::encode_handover(shown));
}

} // namespace

TEST_CASE("a newcomer asks an SN of another organisation before it believes which network there is") {
  newcomer at;
  at.meet_first();
  CHECK(at.talks_to() == "b:2");
  CHECK(at.rig.kept_genesis.empty());
  CHECK(at.rig.txns().empty());
  at.go_on(2s);
  CHECK(at.talks_to() == "own:1");
  CHECK(at.rig.machine.registered());
  CHECK(at.rig.kept_genesis == std::vector<hash32>{at.sn.chain->genesis_hash()});
  CHECK(at.rig.said("shows the same network"));
  CHECK_FALSE(at.rig.said("alone"));
  at.rig.down();
  at.go_on(2s);
  CHECK(at.talks_to() == "own:1"); // once is enough
  CHECK(at.rig.dialled.size() == 4);
}

TEST_CASE("a newcomer joins nothing while SNs of two organisations contradict each other") {
  newcomer at;
  SUBCASE("the second one shows another genesis block") {
    at.lie = show_other_network;
  }
  SUBCASE("the first one does") {
    at.liar = "own:1";
    at.lie = show_other_network;
  }
  SUBCASE("the second one shows other validators from some block on") {
    at.lie = [](const request& to, json::object& fields) {
      if (to.method != "swarm_validatorChanges" || to.params.empty()) return;
      rpc_node other;
      auto all = proved_rig::answer_of(other, {0, 0, to.method, {}});
      fields["result"] = all["result"];
    };
  }
  at.go_on(30s);
  CHECK_FALSE(at.rig.machine.registered());
  CHECK(at.rig.kept_genesis.empty());
  CHECK(at.rig.txns().empty());
  CHECK(at.rig.said("one of them lies, and --genesis-hash says which is right"));
}

TEST_CASE("a newcomer that finds no SN of another organisation says that it believes one alone") {
  newcomer at;
  SUBCASE("the other one is of the same organisation") {
    at.rig.certificates["b:2"] = certificate_under(1);
    at.meet_first();
    at.check_alone();
  }
  SUBCASE("the other one ends the connection") {
    at.meet_first();
    at.rig.down();
    at.check_alone();
  }
  SUBCASE("the other one cannot be connected to") {
    at.meet_first();
    at.rig.pass(6s);
    CHECK(at.talks_to() == "own:1");
    at.check_alone();
  }
  SUBCASE("the other one says nothing") {
    at.meet_first();
    at.rig.up();
    at.rig.pass(16s);
    CHECK(at.talks_to() == "own:1");
    at.check_alone();
  }
  SUBCASE("the other one talks nonsense") {
    at.lie = [](const request&, json::object& fields) { fields["result"] = "7"; };
    at.meet_first();
    at.check_alone();
  }
}

TEST_CASE("whom a newcomer asks for comparison it may hear of from the first SN, up to three") {
  auto options = proving();
  options.other_sns.clear();
  session_rig rig(options);
  rpc_node sn;
  rig.instead = [&](const request& to) -> json::value {
    auto fields = proved_rig::answer_of(sn, to);
    if (to.method == "swarm_apiEndpoints")
      fields["result"] = json::array{"c:1", "no endpoint", "c:2", "c:3", "c:4", 7};
    return fields;
  };
  rig.up();
  rig.serve();
  for (int i = 0; i < 3; ++i) {
    CHECK(rig.dialled.back().endpoint == fmt::format("c:{}", i + 1));
    rig.down();
  }
  CHECK(rig.dialled.back().endpoint == "own:1");
  rig.up();
  rig.serve();
  CHECK(rig.machine.registered());
}

} // namespace newcomer_test
