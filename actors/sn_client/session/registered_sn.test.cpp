#include "actors/sn_client/session/testing/proved_rig.hpp"

#include <doctest/doctest.h>

namespace registered_sn_test {

using namespace swarm;
using namespace swarm::session;
using namespace swarm::session::test;

namespace {

hash32 word(std::uint8_t which) {
  return hash32(u256(which));
}
event::presented certificate(std::uint8_t which) {
  return {word(which), word(1), fmt::format("CN=node-{}", which)};
}

struct own_folder {
  ledger::test::temp_dir folder;
};

/// The chain has two organisations; key 1 is the founding SN, of the first one. Of the SNs `own:1` lies, if any.
struct founded_rig : own_folder, proved_rig {
  std::uint8_t account_of_sn = 1; ///< as which both SNs speak

  founded_rig() {
    auto options = rpc::test::rpc_chain_options(folder / "chain");
    options.genesis->founders = {{"alpha", {word(1)}, {test_key(1).account()}}, {"beta", {word(2)}, {}}};
    sn.served.reset();
    sn.chain = std::move(*ledger::chain::open(std::move(options)));
    sn.served = std::make_unique<rpc::test::joined_service>(*sn.chain, sn.now);
    auto wanted = proving(sn.chain->genesis_hash());
    wanted.registration.reset();
    rig.machine = session_machine(wanted);
    rig.dialled.clear();
    rig.tick();
    lie = [this](const request& to, json::object& fields) { true_account(to, fields); };
    const auto usual = rig.instead;
    rig.instead = [this, usual](const request& to) {
      auto answer = usual(to);
      if (talks_to() != liar) true_account(to, answer.as_object());
      return answer;
    };
    rig.certificates = {{"own:1", certificate(11)}, {"b:2", certificate(11)}};
  }
  void true_account(const request& to, json::object& fields) const {
    if (to.method == "eth_coinbase") fields["result"] = to_hex(test_key(account_of_sn).account().view());
  }
  void registers(std::uint8_t key, contracts::node_type type, std::uint8_t identity,
                 std::uint64_t sequence = 1) {
    send(sn, key,
         contracts::encode_register_node({.type = type,
                                          .organisation = 1,
                                          .identity = word(identity),
                                          .sequence = sequence,
                                          .name = fmt::format("node-{}", key),
                                          .endpoint = "host:1",
                                          .proof = {1}}));
  }
  contracts::node_view node(std::uint8_t key) {
    const auto found =
        sn.chain->window()->view()->call({.from = {},
                                          .to = contracts::node_registry_address(),
                                          .input = contracts::encode_node(test_key(key).account()),
                                          .value = {},
                                          .gas_limit = {}});
    return *contracts::decode_node(found->output);
  }
  void vouch_for(std::uint8_t key) {
    const auto waits = sn.chain->window()->view()->call(
        {.from = {},
         .to = contracts::node_registry_address(),
         .input = contracts::encode(contracts::pending_of_args{test_key(key).account()}),
         .value = {},
         .gas_limit = {}});
    send(sn, 1,
         contracts::encode_vouch(test_key(key).account(), contracts::decode_pending_of(waits->output)->hash));
  }
  void check_left_for_the_other(std::string_view words) {
    rig.up();
    rig.serve();
    CHECK_FALSE(rig.machine.registered());
    go_on(10s);
    CHECK(rig.said("presents a certificate that is not that of an SN"));
    CHECK(rig.said("CN=node-66"));
    CHECK(rig.said(words));
    CHECK(talks_to() == "b:2");
    CHECK(rig.machine.registered());
    CHECK(rig.machine.lies() == 0);
  }
};

} // namespace

TEST_CASE("an SN that presents the certificate it registered is asked, whoever else is there") {
  founded_rig at;
  at.registers(1, contracts::node_type::sn, 11);
  at.rig.get_ready();
  CHECK(at.rig.machine.registered());
  at.go_on(90s);
  CHECK(at.rig.dialled.size() == 1);
}

TEST_CASE("whoever presents a certificate that no SN has registered is named and left") {
  founded_rig at;
  at.registers(1, contracts::node_type::sn, 11);
  at.registers(9, contracts::node_type::sl, 66);
  at.vouch_for(9);
  REQUIRE(at.node(9).active);
  at.rig.certificates["own:1"] = certificate(66);
  SUBCASE("it says that it is a real SN") {
    at.check_left_for_the_other("is registered with another one");
  }
  SUBCASE("it says who it is, an SL") {
    at.lie = [](const request& to, json::object& fields) {
      if (to.method == "eth_coinbase") fields["result"] = to_hex(test_key(9).account().view());
    };
    at.check_left_for_the_other("is registered as SL");
  }
  SUBCASE("it says that it is somebody unknown") {
    at.lie = [](const request& to, json::object& fields) {
      if (to.method == "eth_coinbase") fields["result"] = to_hex(test_key(77).account().view());
    };
    at.check_left_for_the_other("no node of this network");
  }
  SUBCASE("it does not say who it is") {
    at.lie = [](const request& to, json::object& fields) {
      if (to.method == "eth_coinbase") fields["result"] = 7;
    };
    at.check_left_for_the_other("names no account");
  }
  SUBCASE("it is an SN for which nobody has vouched") {
    at.registers(2, contracts::node_type::sn, 66);
    REQUIRE_FALSE(at.node(2).active);
    at.lie = [](const request& to, json::object& fields) {
      if (to.method == "eth_coinbase") fields["result"] = to_hex(test_key(2).account().view());
    };
    at.check_left_for_the_other("is no member");
  }
}

TEST_CASE("whoever poses as an SN is shown nothing of this node and asked for nothing but proofs") {
  founded_rig at;
  at.registers(1, contracts::node_type::sn, 11);
  at.rig.certificates["own:1"] = certificate(66);
  at.rig.up();
  at.rig.submit(1);
  at.rig.serve();
  at.rig.pass(1s);
  at.rig.serve();
  for (const auto& each : at.rig.asked)
    CHECK((each.method == "eth_chainId" || each.method == "swarm_validatorChanges"
           || each.method == "eth_coinbase" || each.method == "swarm_provedCall"
           || each.method == "eth_getTransactionCount" || each.method == "eth_getBlockByNumber"));
}

TEST_CASE("an SN whose registration is on the chain a moment later is waited for") {
  founded_rig at;
  at.rig.up();
  at.rig.serve();
  CHECK_FALSE(at.rig.machine.registered());
  at.go_on(3s);
  CHECK(at.talks_to() == "own:1");
  at.registers(1, contracts::node_type::sn, 11);
  at.go_on(1s);
  CHECK(at.rig.machine.registered());
  CHECK(at.talks_to() == "own:1");
  CHECK_FALSE(at.rig.said("certificate"));
}

TEST_CASE("a renewed certificate will do as soon as its SN has registered it, vouched for or not") {
  founded_rig at;
  at.registers(1, contracts::node_type::sn, 11);
  at.registers(2, contracts::node_type::sn, 12);
  at.vouch_for(2);
  REQUIRE(at.node(2).active);
  at.account_of_sn = 2;
  at.rig.certificates["own:1"] = certificate(13);
  at.registers(2, contracts::node_type::sn, 13, 2);
  REQUIRE(at.node(2).identity == word(12));
  REQUIRE(at.node(2).pending);
  at.rig.get_ready();
  CHECK(at.rig.machine.registered());
  at.rig.certificates["own:1"] = certificate(12); // an old connection's
  at.rig.down();
  at.go_on(2s);
  CHECK(at.rig.machine.registered());
  CHECK(at.talks_to() == "own:1");
}

TEST_CASE("an SN that is removed while a node talks to it is left with the next look") {
  founded_rig at;
  at.registers(1, contracts::node_type::sn, 11);
  at.registers(2, contracts::node_type::sn, 12);
  at.vouch_for(2);
  at.account_of_sn = 2;
  at.rig.certificates["own:1"] = certificate(12);
  at.rig.get_ready();
  REQUIRE(at.rig.machine.registered());
  at.send(at.sn, 1, contracts::encode_remove_node(test_key(2).account()));
  REQUIRE_FALSE(at.node(2).active);
  at.account_of_sn = 1;
  at.go_on(40s);
  CHECK(at.talks_to() == "b:2");
  CHECK(at.rig.machine.registered());
  CHECK(at.rig.said("is no member"));
}

TEST_CASE("the next SN hears who lied and about what, once") {
  founded_rig at;
  at.registers(1, contracts::node_type::sn, 11);
  at.registers(2, contracts::node_type::sn, 12);
  at.vouch_for(2);
  at.rig.certificates["own:1"] = certificate(12);
  const auto as_second = [](const request& to, json::object& fields) {
    if (to.method == "eth_coinbase") fields["result"] = to_hex(test_key(2).account().view());
  };
  at.lie = as_second;
  at.rig.get_ready();
  REQUIRE(at.rig.machine.registered());
  std::string_view about;
  SUBCASE("a view") {
    about = "view";
    at.lie = [&](const request& to, json::object& fields) {
      as_second(to, fields);
      if (to.method == "swarm_provedCall") change_proof(fields, [](auto& item) { item.nodes.pop_back(); });
    };
  }
  SUBCASE("a head") {
    about = "head";
    at.registers(9, contracts::node_type::sl, 66);
    at.lie = [&](const request& to, json::object& fields) {
      as_second(to, fields);
      if (to.method == "swarm_provedCall")
        change_proof(fields, [](auto& item) { item.block.seals.seals.clear(); });
    };
  }
  at.ask_count(1);
  at.rig.serve();
  REQUIRE(at.rig.machine.lies() == 1);
  CHECK(at.rig.asked_for("swarm_reportLie").empty());
  at.go_on(40s);
  CHECK(at.talks_to() == "b:2");
  const auto told = at.rig.asked_for("swarm_reportLie");
  REQUIRE(told.size() == 1);
  CHECK(told[0].serial == at.rig.serial());
  CHECK(told[0].params == json::array{to_hex(word(12).view()), json::string(about)});
}

} // namespace registered_sn_test
