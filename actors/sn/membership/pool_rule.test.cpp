#include "actors/sn/membership/pool_rule.hpp"

#include "base/testing/wording.hpp"
#include "contracts/contracts.hpp"
#include "contracts/registry/client.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"

#include <doctest/doctest.h>

#include <map>

namespace pool_rule_test {

using namespace swarm;
using namespace swarm::ledger::test;
using swarm::testing::says;

namespace {

/// A chain of the node of key 1, whose organisation founded it, with the pool's rule.
struct stage {
  temp_dir dir;
  bool proofs_are_good = true;
  std::size_t proofs_checked = 0;
  membership::pool_rule rule{[this](const contracts::register_node_args&, const address&) -> result<> {
    ++proofs_checked;
    if (proofs_are_good) return {};
    return fail(errc::denied, "the signature is wrong");
  }};
  std::unique_ptr<ledger::chain> chain;
  std::map<address, std::uint64_t> nonces;

  explicit stage(bool founded = true) {
    auto options = test_options(dir / "chain");
    options.contracts = contracts::make_contracts();
    if (founded) options.genesis->founders = {{"first", {hash32(u256(1))}, {test_key(1).account()}}};
    options.admits = [this](const ledger::transaction& txn, const address& sender) {
      return rule.judge(*chain, txn, sender);
    };
    chain = ledger::chain::open(std::move(options)).value();
  }
  result<hash32> submit(std::uint8_t key, bytes input) {
    ledger::txn_fields fields;
    fields.nonce = nonces[test_key(key).account()];
    fields.gas_limit = contracts::call_gas;
    fields.to = contracts::node_registry_address();
    fields.data = std::move(input);
    auto out = chain->submit(ledger::make_signed(std::move(fields), test_key(key), chain->chain_id())->raw());
    if (out) ++nonces[test_key(key).account()];
    return out;
  }
  result<hash32> register_node(std::uint8_t key, std::uint64_t expiry = 0) {
    return submit(key, contracts::encode_register_node({.type = contracts::node_type::sn,
                                                        .organisation = 1,
                                                        .identity = hash32(u256(key)),
                                                        .expiry = expiry,
                                                        .sequence = ++sequence}));
  }
  void seal(std::size_t txns_max = 1000, std::uint64_t timestamp = 0) {
    const auto made = chain->build_block(timestamp, test_key(1).account(), txns_max).value();
    const auto digest = ledger::seal_digest(chain->chain_id(), chain->genesis_hash(), made->block->hash, 0);
    REQUIRE(chain->commit(made, {.round_num = 0, .seals = {{test_key(1).sign_recoverable(digest)}}}));
  }
  std::uint64_t sequence = 0;
};

} // namespace

TEST_CASE("a chain without organisations takes what anybody sends") {
  stage s(false);
  CHECK(s.submit(2, contracts::encode_leave_node()));
}

TEST_CASE("who is no member may register with a proof that is good, and send nothing else") {
  stage s;
  const auto refused = s.submit(2, contracts::encode_leave_node());
  REQUIRE(!refused);
  CHECK(refused.error().is(ledger::pool_errc::no_member));
  CHECK(says(refused.error().message, "may register"));
  s.proofs_are_good = false;
  CHECK(says(s.register_node(2).error().message, "the signature is wrong"));
  CHECK(s.chain->stats().pool_txns == 0);
  s.proofs_are_good = true;
  CHECK(s.register_node(2));
  CHECK(s.proofs_checked == 2);
  s.seal();
  CHECK(s.proofs_checked == 2);                        // not again by the maker of the block
  CHECK(!s.submit(2, contracts::encode_leave_node())); // it waits for vouches, and is no member
}

TEST_CASE("members send what they like, until they are none; what waits of them then goes") {
  stage s;
  REQUIRE(s.register_node(1));
  s.seal();
  CHECK(s.submit(1, contracts::encode_leave_node())); // fails, as it is the last validator
  s.seal();
  REQUIRE(s.register_node(2));
  s.seal();
  const auto answer =
      s.chain->call({.to = contracts::node_registry_address(),
                     .input = contracts::encode(contracts::pending_of_args{test_key(2).account()})});
  const auto waits = contracts::decode_pending_of(answer->output).value();
  REQUIRE(s.submit(1, contracts::encode_vouch(test_key(2).account(), waits.hash)));
  s.seal();
  REQUIRE(s.submit(1, contracts::encode_remove_node(test_key(2).account())));
  REQUIRE(s.submit(2, contracts::encode(contracts::answer_args{})));
  s.seal(1); // the removal
  CHECK(s.chain->stats().pool_txns == 1);
  s.seal();
  CHECK(s.chain->stats().pool_txns == 0);
  CHECK(s.chain->head()->txns.empty());
  CHECK(!s.submit(2, contracts::encode(contracts::answer_args{})));
}

TEST_CASE("membership is over in the first block after the expiry, and in views of that block") {
  stage s;
  const auto began = s.chain->head()->header.timestamp;
  REQUIRE(s.register_node(1, began + 100));
  s.seal(1000, began + 50);
  REQUIRE(s.submit(1, contracts::encode(contracts::accuse_args{1})));
  s.seal(1000, began + 100);
  const auto refusal = [&s] { return contracts::revert_text(s.chain->head()->outcomes.at(0).revert_output); };
  CHECK(says(refusal(), "accuse itself")); // a member's call
  REQUIRE(s.submit(1, contracts::encode(contracts::accuse_args{1})));
  s.seal(1000, began + 101);
  CHECK(s.chain->head()->txns.empty());
  CHECK(s.chain->stats().pool_txns == 0);
  --s.nonces[test_key(1).account()]; // it was in no block
  CHECK(s.submit(1, contracts::encode_leave_node()).error().is(ledger::pool_errc::no_member));
  REQUIRE(s.register_node(1, began + 500));
  s.seal(1000, began + 102);
  CHECK(s.submit(1, contracts::encode_leave_node()));
}

} // namespace pool_rule_test
