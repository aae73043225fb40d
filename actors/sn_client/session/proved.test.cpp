#include "actors/sn_client/session/testing/proved_rig.hpp"

#include <doctest/doctest.h>

namespace proved_test {

using namespace swarm;
using namespace swarm::session;
using namespace swarm::session::test;

namespace {

/// Whether a session leaves an SN that lies so, believes nothing of it, and gets the truth from the next one.
/// `knows`: it has the witness of an earlier view, of which nothing need be shown again.
void check_left_by(bool knows, const std::function<void(proved_rig&, const request&, json::object&)>& how,
                   std::string_view words) {
  proved_rig at({}, true);
  at.register_node(9);
  at.register_node(10);
  at.rig.get_ready();
  REQUIRE(at.rig.machine.registered());
  if (knows) {
    at.ask_count(7);
    at.rig.serve();
    REQUIRE(at.count(7) == 3);
  }
  at.register_node(11); // a block that the session has not seen
  at.lie = [&](const request& to, json::object& fields) { how(at, to, fields); };
  at.ask_count(1);
  at.rig.serve();
  CHECK_FALSE(at.rig.answers.contains(1));
  CHECK(at.rig.said(words));
  CHECK(at.rig.said("own:1"));
  at.go_on(15s);
  CHECK(at.talks_to() == "b:2");
  CHECK(at.count(1) == 4);
  CHECK(at.rig.machine.lies() == (words == "LIES" ? 1 : 0));
}

void check_left(const std::function<void(proved_rig&, const request&, json::object&)>& how,
                std::string_view words = "LIES") {
  for (const bool knows : {false, true})
    check_left_by(knows, how, words);
}

} // namespace

TEST_CASE("views are executed here, over what the SN proves") {
  proved_rig at({}, true);
  at.register_node(9);
  at.rig.get_ready();
  CHECK(at.rig.machine.registered());
  CHECK(at.rig.asked_for("eth_call").empty());
  CHECK(at.rig.kept_genesis.empty());
  at.ask_count(1);
  at.rig.serve();
  CHECK(at.count(1) == 2); // with this node itself
  CHECK(at.rig.machine.lies() == 0);
  CHECK(at.rig.machine.block_num() == 2);
}

TEST_CASE("all views of a batch are of one block, in one request, and other answers stand in their places") {
  proved_rig at({}, true);
  at.rig.get_ready();
  const auto where = contracts::node_registry_address();
  at.rig.step(event::follow{"c",
                            where,
                            {},
                            {{"eth_chainId", {}},
                             eth_call(where, contracts::encode_node_count()),
                             {"net_version", {}},
                             eth_call(where, {1})}});
  at.rig.serve();
  REQUIRE(at.rig.reads.size() == 1);
  const auto& read = at.rig.reads[0];
  CHECK(read.block_num == at.sn.chain->head()->header.block_num);
  REQUIRE(read.responses.size() == 4);
  CHECK(quantity_of(read.responses[0]).value() == at.sn.chain->chain_id());
  CHECK(contracts::decode_node_count(*output_of(read.responses[1])).value() == 1);
  CHECK(text_of(read.responses[2]).has_value());
  CHECK(output_of(read.responses[3]).error().is(refusal::reverted));
  CHECK(at.rig.asked_for("eth_blockNumber").empty());
}

TEST_CASE("what this node has of an earlier view is not shown to it again") {
  proved_rig at({}, true);
  at.register_node(9);
  std::vector<std::size_t> shown;
  at.lie = [&](const request& to, json::object& fields) {
    if (to.method == "swarm_provedCall")
      change_proof(fields, [&](auto& item) { shown.push_back(item.nodes.size()); });
  };
  at.rig.get_ready();
  shown.clear();
  at.ask_count(1);
  at.rig.serve();
  at.register_node(10);
  at.ask_count(2); // both are asked before either is answered
  at.ask_count(3);
  at.rig.serve();
  at.ask_count(4);
  at.rig.serve();
  CHECK(at.count(1) == 2);
  for (const std::uint64_t id : {2, 3, 4})
    CHECK(at.count(id) == 3);
  REQUIRE(shown.size() == 4);
  CHECK(shown[1] > 0);
  CHECK(shown[1] < shown[0]);
  CHECK(shown[2] == shown[1]);
  CHECK(shown[3] == 0);
  CHECK(at.rig.machine.lies() == 0);
}

TEST_CASE("an SN that knows nothing of what this node has shows everything, and is believed") {
  proved_rig at({}, true);
  at.register_node(9);
  at.rig.get_ready();
  at.ask_count(1);
  at.rig.serve();
  at.register_node(10);
  at.lie = [&](const request& to, json::object& fields) {
    if (to.method != "swarm_provedCall") return;
    REQUIRE(to.params.size() == 3);
    auto all = to;
    all.params.resize(1);
    fields = proved_rig::answer_of(at.sn, all);
  };
  at.ask_count(2);
  at.rig.serve();
  CHECK(at.count(2) == 3);
  CHECK(at.rig.machine.lies() == 0);
}

TEST_CASE("a network is remembered at first use, and said to be") {
  proved_rig at;
  at.go_on(1s);
  REQUIRE(at.rig.kept_genesis.size() == 1);
  CHECK(at.rig.kept_genesis[0] == at.sn.chain->genesis_hash());
  CHECK(at.rig.said("--genesis-hash"));
  at.rig.down();
  at.go_on(5s);
  CHECK(at.rig.kept_genesis.size() == 1);
  CHECK(at.rig.machine.registered());
}

TEST_CASE("an SN of another network is left, and what to do is said") {
  hash32 other;
  other[0] = 1;
  proved_rig at(other);
  at.rig.up();
  at.rig.serve();
  CHECK_FALSE(at.rig.machine.connected());
  CHECK(at.rig.said("belongs to another network"));
  CHECK(at.rig.said("the file"));
  CHECK(at.rig.kept_genesis.empty());
}

TEST_CASE("new validators are followed when a block is sealed by them") {
  proved_rig at({}, true);
  at.rig.get_ready();
  at.take_in_two_validators();
  at.register_node(9, {2, 3});
  at.ask_count(1);
  at.rig.serve();
  CHECK(at.count(1) == 4);
  CHECK(at.rig.machine.lies() == 0);
  CHECK(at.rig.asked_for("swarm_validatorChanges").size() == 4); // two to begin with
  at.rig.down();
  at.go_on(5s);
  CHECK(at.rig.asked_for("swarm_validatorChanges").size() == 5); // nothing is followed twice
}

TEST_CASE("a head that changes the validators back is no lie: those before it have sealed it") {
  proved_rig at({}, true);
  at.rig.get_ready();
  REQUIRE(at.rig.machine.registered());
  at.take_in_two_validators();
  at.take_back_two_validators();
  at.ask_count(1);
  at.rig.serve();
  CHECK(at.count(1) == 3);
  CHECK(at.rig.machine.lies() == 0);
  at.register_node(9); // sealed by key 1 alone, as before
  at.ask_count(2);
  at.rig.serve();
  CHECK(at.count(2) == 4);
  CHECK(at.rig.machine.lies() == 0);
}

TEST_CASE("an SN that hides a change of validators is left") {
  proved_rig at({}, true);
  at.rig.get_ready();
  at.take_in_two_validators();
  at.register_node(9, {2, 3});
  at.lie = [](const request& to, json::object& fields) {
    if (to.method == "swarm_validatorChanges") fields["result"] = json::array();
  };
  at.ask_count(1);
  at.rig.serve();
  CHECK(at.rig.said("LIES"));
  at.go_on(15s);
  CHECK(at.talks_to() == "b:2");
  CHECK(at.count(1) == 4);
}

TEST_CASE("a forged view is a lie: the SN is named and left") {
  SUBCASE("nodes are left out") {
    check_left([](auto&, const auto& to, auto& fields) {
      if (to.method == "swarm_provedCall") change_proof(fields, [](auto& item) { item.nodes.pop_back(); });
    });
  }
  SUBCASE("nothing is shown, as if the node had it") {
    check_left([](auto&, const auto& to, auto& fields) {
      if (to.method == "swarm_provedCall") change_proof(fields, [](auto& item) { item.nodes.clear(); });
    });
  }
  SUBCASE("the state of the block before under the newest head") {
    check_left([](proved_rig& at, const auto& to, auto& fields) {
      if (to.method != "swarm_provedCall") return;
      auto old = to;
      old.params = json::array{to.params.at(0), fmt::format("{:#x}", at.head() - 1)};
      auto shown = proved_rig::answer_of(at.sn, old);
      change_proof(
          shown, [&](auto& before) { change_proof(fields, [&](auto& item) { before.block = item.block; }); });
      fields = std::move(shown);
    });
  }
  SUBCASE("a value is changed") {
    check_left([](auto&, const auto& to, auto& fields) {
      if (to.method == "swarm_provedCall")
        change_proof(fields, [](auto& item) { item.nodes.back().back() ^= 1; });
    });
  }
  SUBCASE("more than was asked for") {
    check_left([](auto&, const auto& to, auto& fields) {
      if (to.method == "swarm_provedCall")
        change_proof(fields, [](auto& item) { item.nodes.push_back({1}); });
    });
  }
  SUBCASE("no proof at all") {
    check_left([](auto&, const auto& to, auto& fields) {
      if (to.method == "swarm_provedCall") fields["result"] = "0x00";
    });
  }
  SUBCASE("the view of another call") {
    check_left([](proved_rig& at, const auto& to, auto& fields) {
      if (to.method != "swarm_provedCall") return;
      auto other = to;
      json::array views;
      views.push_back(
          eth_call(contracts::training_registry_address(), contracts::encode_node_count()).params.at(0));
      other.params.clear();
      other.params.emplace_back(std::move(views));
      fields = proved_rig::answer_of(at.sn, other);
    });
  }
}

TEST_CASE("a forged head is a lie, with whatever seals: the SN is named and left") {
  SUBCASE("no seals") {
    check_left([](auto&, const auto& to, auto& fields) {
      if (to.method == "swarm_provedCall")
        change_proof(fields, [](auto& item) { item.block.seals.seals.clear(); });
    });
  }
  SUBCASE("another header with the seals of this one") {
    check_left([](auto&, const auto& to, auto& fields) {
      if (to.method != "swarm_provedCall") return;
      change_proof(fields, [](auto& item) {
        auto header = *ledger::decode_header(item.block.header);
        header.block_num += 5;
        item.block.header = ledger::encode_header(header);
      });
    });
  }
  SUBCASE("a head that it makes with its own key, and a state of its own") {
    rpc_node own; // with other nodes
    proved_rig::send(own, 30, proved_rig::registration(30, contracts::node_type::sl));
    check_left([&](proved_rig& at, const auto& to, auto& fields) {
      if (to.method != "swarm_provedCall") return;
      fields = proved_rig::answer_of(own, to);
      change_proof(fields, [&](auto& item) {
        auto header = *ledger::decode_header(item.block.header);
        header.block_num = 100;
        item.block.header = ledger::encode_header(header);
        const auto digest = ledger::seal_digest(at.sn.chain->chain_id(), at.sn.chain->genesis_hash(),
                                                ledger::block_hash(header), 0);
        item.block.seals.seals = {{test_key(66).sign_recoverable(digest)}};
      });
    });
  }
  SUBCASE("validators of its own") {
    check_left([](auto&, const auto& to, auto& fields) {
      if (to.method == "swarm_provedCall")
        change_proof(fields, [](auto& item) { item.block.seals.seals.clear(); });
      if (to.method == "swarm_validatorChanges") {
        rpc_node own;
        auto all = proved_rig::answer_of(own, {0, 0, to.method, {}});
        fields["result"] = json::array{all["result"].as_array()[0]};
      }
    });
  }
}

TEST_CASE("an SN that shows an old head is waited for, then left; this node never goes back") {
  proved_rig at({}, true);
  at.register_node(9);
  at.rig.get_ready();
  const auto before = at.rig.machine.block_num();
  const auto number = fmt::format("{:#x}", before - 1);
  at.lie = [&](const request& to, json::object& fields) {
    if (to.method != "swarm_provedCall") return;
    auto old = to;
    old.params = json::array{to.params.at(0), number};
    fields = proved_rig::answer_of(at.sn, old);
  };
  at.ask_count(1);
  at.rig.serve();
  at.go_on(5s);
  CHECK(at.rig.answers.empty());
  CHECK(at.talks_to() == "own:1");
  at.go_on(10s);
  CHECK(at.talks_to() == "b:2");
  CHECK(at.rig.said("its chain ends before block"));
  CHECK(at.count(1) == 2);
  CHECK(at.rig.machine.block_num() >= before);
  CHECK(at.rig.machine.lies() == 0);
}

TEST_CASE("an SN that catches up in time is not left") {
  proved_rig at({}, true);
  at.register_node(9);
  at.rig.get_ready();
  const auto number = fmt::format("{:#x}", at.rig.machine.block_num() - 1);
  int old_ones = 3;
  at.lie = [&](const request& to, json::object& fields) {
    if (to.method != "swarm_provedCall" || old_ones-- <= 0) return;
    auto old = to;
    old.params = json::array{to.params.at(0), number};
    fields = proved_rig::answer_of(at.sn, old);
  };
  at.ask_count(1);
  at.rig.serve();
  at.go_on(2s);
  CHECK(at.talks_to() == "own:1");
  CHECK(at.count(1) == 2);
}

TEST_CASE("a liar is not asked again while there is another one") {
  proved_rig at({}, true);
  at.rig.get_ready();
  at.lie = [](const request& to, json::object& fields) {
    if (to.method == "swarm_provedCall") fields["result"] = "0x00";
  };
  at.ask_count(1);
  at.rig.serve();
  at.go_on(5s);
  REQUIRE(at.talks_to() == "b:2");
  for (int i = 0; i < 8; ++i) {
    at.rig.down();
    at.go_on(12s);
    CHECK(at.talks_to() == "b:2");
  }
}

TEST_CASE("an SN that is the only one is asked again although it lied") {
  auto options = proving();
  options.other_sns.clear();
  session_rig rig(options);
  rpc_node sn;
  bool lies = true;
  rig.instead = [&](const request& to) -> json::value {
    auto fields = proved_rig::answer_of(sn, to);
    if (lies && to.method == "swarm_provedCall") fields["result"] = "0x00";
    return fields;
  };
  rig.up();
  rig.serve();
  CHECK(rig.said("LIES"));
  lies = false;
  rig.pass(5s);
  rig.up();
  rig.serve();
  CHECK(rig.machine.registered());
}

TEST_CASE("a liar cannot make a node forget the SNs that others told of, nor lead it to SNs of its own") {
  proved_rig at({}, true);
  at.lie = [](const request& to, json::object& fields) {
    if (to.method == "swarm_apiEndpoints") fields["result"] = json::array{"a:666", "c:666"};
  };
  at.rig.get_ready();
  REQUIRE(at.rig.machine.registered());
  at.lie = [](const request& to, json::object& fields) {
    if (to.method == "swarm_provedCall") fields["result"] = "0x00";
  };
  at.ask_count(1);
  at.rig.serve();
  at.go_on(5s);
  CHECK(at.talks_to() == "b:2");
  CHECK(at.count(1) == 1);
  CHECK(at.rig.kept.back() == std::vector<std::string>{"b:2"});
}

TEST_CASE("an SN whose head nobody calls the newest is left: nothing is kept back for long") {
  std::function<json::value(proved_rig&)> signs;
  SUBCASE("no validator says anything") {
    signs = [](auto&) { return json::array(); };
  }
  SUBCASE("a validator is further") {
    signs = [](auto& at) { return json::array{at.sign_of(1, at.head() + 3)}; };
  }
  SUBCASE("what it says is old") {
    signs = [](auto& at) { return json::array{at.sign_of(1, at.head(), 61'000)}; };
  }
  SUBCASE("it is no validator") {
    signs = [](auto& at) { return json::array{at.sign_of(66, at.head())}; };
  }
  SUBCASE("it is no sign") {
    signs = [](auto&) { return json::array{"0x1234", 7}; };
  }
  proved_rig at({}, true);
  at.lie = [&](const request& to, json::object& fields) {
    if (to.method == "swarm_validatorSigns") fields["result"] = signs(at);
  };
  at.rig.get_ready();
  at.go_on(10s);
  CHECK(at.talks_to() == "own:1");
  at.go_on(20s);
  CHECK(at.talks_to() == "b:2");
  CHECK(at.rig.said("does not show that its chain is the newest"));
  at.go_on(60s);
  CHECK(at.talks_to() == "b:2");
}

TEST_CASE("of four validators two must call a head the newest, each counts once") {
  proved_rig at({}, true);
  at.take_in_two_validators();
  at.sealers = {2, 3};
  at.lie = [&](const request& to, json::object& fields) {
    if (to.method == "swarm_validatorSigns") fields["result"] = json::array{at.sign_of(2, at.head())};
  };
  at.rig.get_ready();
  at.go_on(60s);
  CHECK(at.talks_to() == "own:1"); // of three one is enough
  at.send(at.sn, 4, proved_rig::registration(4, contracts::node_type::sn), {2, 3});
  for (const std::uint8_t voter : {1, 2})
    at.send(at.sn, voter, contracts::encode_propose_validator_vote(test_key(4).account(), true), {2, 3});
  at.register_node(9, {2, 3, 4});
  REQUIRE(at.sn.chain->validators_after(at.head())->size() == 4);
  at.lie = [&](const request& to, json::object& fields) {
    if (to.method == "swarm_validatorSigns")
      fields["result"] = json::array{at.sign_of(2, at.head()), at.sign_of(2, at.head(), 5)};
  };
  at.go_on(60s);
  CHECK(at.talks_to() == "b:2");
}

TEST_CASE("events that an SN keeps back are missed for no longer than until the next look") {
  proved_rig at({}, true);
  at.rig.get_ready();
  const auto where = contracts::node_registry_address();
  at.rig.step(event::follow{"c", where, {}, {eth_call(where, contracts::encode_node_count())}});
  at.rig.serve();
  at.register_node(9);
  at.go_on(31s);
  CHECK(contracts::decode_node_count(*output_of(at.rig.reads.back().responses[0])).value() == 2);
}

TEST_CASE("the only SN is not left because it cannot show that it is the newest, but that is said") {
  auto options = proving();
  options.other_sns.clear();
  session_rig rig(options);
  rpc_node sn;
  rig.instead = [&](const request& to) -> json::value { return proved_rig::answer_of(sn, to); };
  rig.get_ready();
  for (int i = 0; i < 100; ++i) {
    rig.pass(1s);
    rig.serve();
  }
  CHECK(rig.dialled.size() == 1);
  CHECK(rig.said("does not show that its chain is the newest"));
}

} // namespace proved_test
