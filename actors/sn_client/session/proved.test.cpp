#include "actors/sn/rpc/testing/rpc_fixture.hpp"
#include "actors/sn_client/session/testing/session_rig.hpp"
#include "contracts/registry/client.hpp"

#include <doctest/doctest.h>

using namespace swarm;
using namespace swarm::session;
using namespace swarm::session::test;
using rpc::test::rpc_node;
using rpc::test::test_key;

namespace {

session_options proving(std::optional<hash32> genesis = {}) {
  auto out = options_of(1, {"b:2"});
  out.trust = trust_options{genesis, "the file"};
  return out;
}

/// A session with SNs that answer from a real chain, as far as they do not lie.
struct proved_rig {
  rpc_node sn;
  session_rig rig;
  /// Changes the true answer.
  std::function<void(const request&, json::object&)> lie = [](const request&, json::object&) {};
  std::string liar = "own:1"; ///< who does

  explicit proved_rig(std::optional<hash32> genesis = {}, bool pin_right = false)
      : rig(proving(pin_right ? std::optional(sn.chain->genesis_hash()) : genesis)) {
    rig.instead = [this](const request& to) -> json::value {
      auto fields = answer_of(sn, to);
      if (to.method == "swarm_apiEndpoints") fields["result"] = json::array{"b:2"};
      if (to.method == "swarm_validatorSigns") fields["result"] = json::array{sign_of(1, head())};
      if (rig.dialled.back().endpoint == liar) lie(to, fields);
      return fields;
    };
  }

  std::uint64_t head() const { return sn.chain->head()->header.block_num; }
  /// A sign of life by this key, who signed it `ago` milliseconds ago.
  json::value sign_of(std::uint8_t key, std::uint64_t head, std::uint64_t ago = 0) const {
    return json::value(to_hex(ledger::encode_sign_of_life(rig.unix_ms - ago, head, {}, test_key(key),
                                                          sn.chain->chain_id(), sn.chain->genesis_hash())));
  }

  static json::object answer_of(rpc_node& from, const request& to) {
    if (to.method == "eth_sendRawTransactionSync") {
      from.chain->submit(*from_hex(std::string_view(to.params.at(0).as_string()))).value();
      from.seal();
      return {{"result", json::object{{"status", "0x1"}, {"blockNumber", "0x1"}}}};
    }
    auto all = from.call(to.method, json::serialize(to.params));
    json::object out;
    for (const auto* each : {"result", "error"})
      if (all.contains(each)) out[each] = all[each];
    return out;
  }
  /// A call of the registry by somebody else, in a block that these validators seal.
  static void send(rpc_node& at, std::uint8_t key, bytes input,
                   const std::vector<std::uint8_t>& sealers = {1}) {
    ledger::txn_fields fields;
    fields.nonce = *at.chain->window()->pending_nonce(test_key(key).account());
    fields.gas_limit = 5'000'000;
    fields.to = contracts::node_registry_address();
    fields.data = std::move(input);
    at.submit(*ledger::make_signed(fields, test_key(key), at.chain->chain_id()));
    const auto made = at.chain->build_block(0, at.chain->genesis().validators.front(), 1000).value();
    const auto digest =
        ledger::seal_digest(at.chain->chain_id(), at.chain->genesis_hash(), made->block->hash, 0);
    ledger::seal_record seals;
    for (const auto each : sealers)
      seals.seals.push_back({test_key(each).sign_recoverable(digest)});
    REQUIRE(at.chain->commit(made, seals));
  }
  static bytes registration(std::uint8_t key, contracts::node_type type) {
    hash32 fingerprint;
    fingerprint[0] = key;
    return contracts::encode_register_node(
        {.type = type, .identity = fingerprint, .name = fmt::format("node-{}", key), .endpoint = "host:1"});
  }
  void register_node(std::uint8_t key, const std::vector<std::uint8_t>& sealers = {1}) {
    send(sn, key, registration(key, contracts::node_type::sl), sealers);
  }
  /// Keys 2 and 3 become validators beside key 1.
  void take_in_two_validators() {
    for (const std::uint8_t key : {2, 3}) {
      send(sn, key, registration(key, contracts::node_type::sn));
      send(sn, 1, contracts::encode_propose_validator_vote(test_key(key).account(), true));
    }
    REQUIRE(sn.chain->validators_after(sn.chain->head()->header.block_num)->size() == 3);
  }
  void ask_count(std::uint64_t id) {
    rig.step(event::ask{id, {eth_call(contracts::node_registry_address(), contracts::encode_node_count())}});
  }
  /// How many nodes there are, as the answer to question `id` says.
  std::uint64_t count(std::uint64_t id) {
    const auto& answers = rig.answers.at(id);
    REQUIRE(answers.size() == 1);
    REQUIRE(answers[0]);
    return *contracts::decode_node_count(*output_of(answers[0]->at(0)));
  }
  const std::string& talks_to() const { return rig.dialled.back().endpoint; }
  /// Dials on whenever the machine wants to, for a while.
  void go_on(duration span = 30s) {
    const auto until = rig.now + span;
    while (rig.now < until) {
      rig.pass(250ms);
      if (!rig.machine.connected()) rig.up();
      rig.serve();
    }
  }
};

/// The result as bytes, changed.
void change(json::object& fields, const std::function<void(bytes&)>& how) {
  auto raw = *from_hex(std::string_view(fields["result"].as_string()));
  how(raw);
  fields["result"] = to_hex(raw);
}
void change_proof(json::object& fields, const std::function<void(ledger::proved_calls&)>& how) {
  change(fields, [&](bytes& raw) {
    auto item = *ledger::decode_proved_calls(raw);
    how(item);
    raw = ledger::encode_proved_calls(item);
  });
}

/// Whether a session leaves an SN that lies so, believes nothing of it, and gets the truth from the next one.
void check_left(const std::function<void(proved_rig&, const request&, json::object&)>& how,
                std::string_view words = "LIES") {
  proved_rig at({}, true);
  at.register_node(9);
  at.register_node(10);
  at.rig.get_ready();
  REQUIRE(at.rig.machine.registered());
  at.lie = [&](const request& to, json::object& fields) { how(at, to, fields); };
  at.ask_count(1);
  at.rig.serve();
  CHECK(at.rig.answers.empty());
  CHECK(at.rig.said(words));
  CHECK(at.rig.said("own:1"));
  at.go_on(15s);
  CHECK(at.talks_to() == "b:2");
  CHECK(at.count(1) == 3);
  CHECK(at.rig.machine.lies() == (words == "LIES" ? 1 : 0));
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

TEST_CASE("a network is remembered at first use, and said to be") {
  proved_rig at;
  at.rig.get_ready();
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
      other.params = {json::array{
          eth_call(contracts::training_registry_address(), contracts::encode_node_count()).params.at(0)}};
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
    old.params.emplace_back(number);
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
    old.params.emplace_back(number);
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
