#include "actors/sn/membership/chain_facts.hpp"

#include "contracts/contracts.hpp"
#include "contracts/organisations/client.hpp"
#include "contracts/registry/client.hpp"
#include "contracts/training_registry/client.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"

#include <doctest/doctest.h>

namespace chain_facts_test {

using namespace swarm;
using namespace swarm::ledger::test;

namespace {

/// A chain with the product's contracts, made by the node of key 1.
struct stage {
  temp_dir dir;
  std::unique_ptr<ledger::chain> chain;
  std::map<address, std::uint64_t> nonces;
  membership::known_registry known;

  explicit stage(std::vector<ledger::founder> founders = {}) {
    auto options = test_options(dir / "chain");
    options.genesis->founders = std::move(founders);
    options.contracts = contracts::make_contracts();
    chain = ledger::chain::open(std::move(options)).value();
  }
  void submit(std::uint8_t key, const address& to, bytes input) {
    ledger::txn_fields fields;
    fields.nonce = nonces[test_key(key).account()]++;
    fields.gas_limit = contracts::call_gas;
    fields.to = to;
    fields.data = std::move(input);
    const auto txn = ledger::make_signed(std::move(fields), test_key(key), chain->chain_id()).value();
    REQUIRE(chain->submit(txn.raw()));
  }
  void register_node(std::uint8_t key, contracts::node_type type = contracts::node_type::sn) {
    hash32 certificate;
    certificate.fill(key);
    submit(key, contracts::node_registry_address(),
           contracts::encode_register_node(
               {.type = type, .identity = certificate, .name = "sn", .endpoint = "sn:30303"}));
  }
  void seal() { REQUIRE(seal_block(*chain)); }
  membership::chain_facts facts(std::vector<address> connected = {}) {
    return membership::read_chain_facts(*chain, test_key(1).account(), {1, std::move(connected), {"mine"}},
                                        known)
        .value();
  }
};

} // namespace

TEST_CASE("organisations and their limits, by each of their anchors") {
  const auto anchor = [](std::uint8_t last) {
    hash32 out;
    out[31] = last;
    return out;
  };
  stage s({{"a", {anchor(1), anchor(2)}, {test_key(1).account()}}, {"b", {anchor(3)}, {}}});
  const auto anchors = s.facts().anchors;
  CHECK(anchors.size() == 3);
  CHECK(anchors.at(anchor(1)) == membership::anchor_owner{1, 8});
  CHECK(anchors.at(anchor(2)) == membership::anchor_owner{1, 8});
  CHECK(anchors.at(anchor(3)) == membership::anchor_owner{2, 8});
}

TEST_CASE("members whose organisation was removed are known, also when the registry lists them no more") {
  const auto key = [](std::uint8_t number) { return test_key(number).account(); };
  const auto anchor = [](std::uint8_t last) { return hash32(u256(last)); };
  stage s({{"a", {anchor(1)}, {key(1)}}, {"b", {anchor(2)}, {}}, {"c", {anchor(3)}, {}}});
  const auto enter = [&](std::uint8_t number, contracts::organisation_id of) {
    s.submit(number, contracts::node_registry_address(),
             contracts::encode_register_node({.type = contracts::node_type::sn,
                                              .organisation = of,
                                              .identity = hash32(u256(number)),
                                              .sequence = 1,
                                              .name = "sn",
                                              .endpoint = "sn:30303"}));
    s.seal();
  };
  const auto registry = contracts::node_registry_address();
  const auto admit = [&](std::uint8_t number, std::vector<std::uint8_t> vouchers) {
    const auto raw =
        s.chain->call({.to = registry, .input = contracts::encode(contracts::pending_of_args{key(number)})});
    const auto waits = contracts::decode_pending_of(raw->output).value();
    for (const auto by : vouchers)
      s.submit(by, registry, contracts::encode_vouch(key(number), waits.hash));
    s.seal();
  };
  enter(1, 1);
  enter(2, 2);
  admit(2, {1});
  enter(3, 3);
  admit(3, {1, 2});
  for (const std::uint8_t number : {2, 3}) {
    s.submit(1, registry, contracts::encode_propose_validator_vote(key(number), true));
    s.seal();
  }
  REQUIRE(s.facts().members.size() == 3);
  CHECK(s.facts().homeless.empty());
  for (const std::uint8_t by : {1, 2})
    s.submit(by, contracts::organisation_registry_address(),
             contracts::encode(contracts::remove_organisation_args{3}));
  s.seal();
  CHECK(s.facts().homeless == std::set<address>{key(3)});
  s.submit(1, registry, contracts::encode(contracts::settle_args{key(3)}));
  s.seal();
  CHECK(s.facts().homeless == std::set<address>{key(3)});
}

TEST_CASE("the facts of a new chain, and of one where nodes registered and voted") {
  stage s;
  const auto self = test_key(1).account();
  auto facts = s.facts();
  CHECK(facts.block_num == 0);
  CHECK(!facts.pending);
  CHECK(!(facts.self && facts.self->active));
  CHECK(facts.validators == std::vector<address>{self});
  CHECK(facts.members == std::vector<address>{self});
  CHECK(facts.nodes.empty());
  CHECK(facts.powers.empty()); // there are no organisations
  CHECK(facts.trainings_wanted == std::vector<std::string>{"mine"});
  CHECK(facts.anchors.empty()); // it was begun without organisations

  s.register_node(2);
  CHECK(!s.facts().pending); // not of this node
  s.register_node(1);
  s.submit(1, contracts::training_registry_address(), contracts::encode_create_training("mine"));
  CHECK(s.facts().pending);
  s.seal();
  facts = s.facts();
  CHECK(facts.block_num == 1);
  CHECK(!facts.pending);
  REQUIRE(facts.self);
  CHECK(facts.self->active);
  CHECK(facts.self->endpoint == "sn:30303");
  CHECK(facts.nodes.size() == 2);
  CHECK(facts.trainings_wanted.empty());
}

TEST_CASE("open votes on members and on connected SNs are known; on others they are not asked for") {
  stage s;
  for (std::uint8_t key = 1; key <= 4; ++key)
    s.register_node(key);
  s.seal();
  const auto vote = [&](std::uint8_t on, bool add) {
    s.submit(1, contracts::node_registry_address(),
             contracts::encode_propose_validator_vote(test_key(on).account(), add));
    s.seal();
  };
  const auto second = test_key(2).account(), third = test_key(3).account(), candidate = test_key(4).account();
  vote(2, true); // the only validator decides alone, and still is the only one
  CHECK(s.facts().members == std::vector<address>{test_key(1).account(), second});
  CHECK(s.facts().validators.size() == 1);
  vote(3, true);
  CHECK(s.facts().validators.size() == 3);
  CHECK(s.facts({candidate}).voted_on.empty());
  vote(4, true); // one of three decides nothing
  vote(3, false);
  CHECK(s.facts().voted_on == std::set<address>{third});
  CHECK(s.facts({candidate}).voted_on == std::set<address>{third, candidate});
}

TEST_CASE("the SNs of the registry are read once, until it changes") {
  stage s;
  s.register_node(2);
  s.register_node(3, contracts::node_type::sl);
  s.seal();
  CHECK(s.facts().nodes.size() == 1);
  s.known.sns.clear(); // what is remembered is what is told
  CHECK(s.facts().nodes.empty());
  s.submit(1, contracts::training_registry_address(), contracts::encode_create_training("mine"));
  s.seal();
  CHECK(s.facts().nodes.empty());
  s.register_node(4);
  s.seal();
  CHECK(s.facts().nodes.size() == 2);
}

} // namespace chain_facts_test
