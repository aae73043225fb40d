#include "ledger/chain/chain.hpp"

#include "base/hash.hpp"
#include "base/testing/wording.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"
#include "ledger/formats/header_rules.hpp"
#include "ledger/state/execute.hpp"
#include "ledger/state/trie.hpp"

#include <doctest/doctest.h>

#include <utility>

namespace chain_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;
using swarm::testing::says;

namespace {

std::unique_ptr<chain> open_chain(chain_options options) {
  auto opened = chain::open(std::move(options));
  if (!opened) FAIL(opened.error().message);
  return std::move(*opened);
}

/// The block as another node gets it.
block received(const executed_block& from) {
  auto decoded = decode_block(encode_block(from.content()), default_chain_id);
  REQUIRE(decoded);
  return *decoded;
}

/// Counts executions of the test contract.
class counting_contract final : public native_contract {
public:
  explicit counting_contract(std::size_t& count) : count_(count) {}
  call_outcome call(contract_host& host, const call_context& context, bytes_view input) const override {
    ++count_;
    return inner_.call(host, context, input);
  }

private:
  std::size_t& count_;
  test_contract inner_;
};

} // namespace

TEST_CASE("the genesis block depends on the parameters and on nothing else") {
  temp_dir dirs;
  auto base = open_chain(test_options(dirs / "a"));
  CHECK(base->head()->header.block_num == 0);
  CHECK(base->head()->hash == base->genesis_hash());
  CHECK(keccak256(encode_header(base->head()->header)) == base->genesis_hash());
  CHECK(as_text(base->head()->header.extra_data) == "swarmd");
  CHECK(base->chain_id() == 0x5357);
  // Pinned: when this changes, no node finds the chain of older ones any more.
  CHECK(to_hex(base->genesis_hash().view())
        == "0x3680cf0235c5eba0e36b0f74e01a8c166cf76b8decaec7728660b6e539352a0d");
  CHECK(open_chain(test_options(dirs / "b"))->genesis_hash() == base->genesis_hash());
  const auto made = genesis_hash_of(base->genesis(), test_options(dirs / "b").contracts);
  REQUIRE(made);
  CHECK(*made == base->genesis_hash());

  auto changed = [&](std::string_view dir, auto change) {
    auto options = test_options(dirs / dir);
    change(options);
    return open_chain(options)->genesis_hash() != base->genesis_hash();
  };
  CHECK(changed("c", [](auto& o) { o.genesis->chain_id = 1; }));
  CHECK(changed("d", [](auto& o) { o.genesis->timestamp = 1; }));
  CHECK(changed("e", [](auto& o) { o.genesis->block_gas_limit = 1'000'000; }));
  CHECK(changed("f", [](auto& o) { o.genesis->validators = {test_key(2).account()}; }));
  CHECK(changed("j", [](auto& o) {
    o.genesis->founders = {{"one", {word(1)}, o.genesis->validators}};
    o.contracts.genesis[0].founders_storage = [](const std::vector<founder>& founders) {
      return std::vector<std::pair<hash32, hash32>>{{word(9), founders.at(0).anchors.at(0)}};
    };
  }));
  CHECK(changed("k", [](auto& o) { o.genesis->rules = 3; }));
  CHECK(changed("g", [](auto& o) { o.contracts.genesis[0].storage.clear(); }));
  auto three = test_options(dirs / "h");
  three.genesis->validators = {test_key(3).account(), test_key(1).account(), test_key(2).account()};
  auto other = test_options(dirs / "i");
  other.genesis->validators = {test_key(1).account(), test_key(2).account(), test_key(3).account()};
  auto both = open_chain(three);
  CHECK(both->genesis_hash() == open_chain(other)->genesis_hash());
  auto validators = *both->validators_after(0);
  CHECK(validators.size() == 3);
  CHECK(std::is_sorted(validators.begin(), validators.end()));
  CHECK(*base->validators_after(0) == std::vector{test_key(1).account()});
  CHECK(*base->storage_of(test_address(), word(5)) == word(55));
  CHECK(*base->code_of(test_address()) == bytes{0xfe, test_kind});
}

TEST_CASE("parameters that make no chain are refused") {
  temp_dir dirs;
  auto refused = [&](auto change) {
    auto options = test_options(dirs / "x");
    change(*options.genesis);
    auto opened = chain::open(options);
    return !opened && opened.error().is(chain_errc::bad_genesis);
  };
  CHECK(refused([](auto& g) { g.validators.clear(); }));
  CHECK(refused([](auto& g) { g.validators.resize(2, g.validators[0]); }));
  CHECK(refused([](auto& g) { g.validators[0] = {}; }));
  CHECK(refused([](auto& g) { g.validators.resize(257); }));
  CHECK(refused([](auto& g) { g.chain_id = 0; }));
  CHECK(refused([](auto& g) { g.rules = 0; }));
  const auto founded = [&](auto change) {
    return refused([&](auto& g) {
      g.founders = {{"one", {word(1)}, g.validators}, {"two", {word(2), word(3)}, {}}};
      change(g.founders);
    });
  };
  CHECK(founded([](auto& f) { f[1].name = "ONE"; }));
  CHECK(founded([](auto& f) { f[1].name = ""; }));
  CHECK(founded([](auto& f) { f[1].name = "two "; }));
  CHECK(founded([](auto& f) { f[1].name = std::string(65, 'x'); }));
  CHECK(founded([](auto& f) { f[1].name = "\xff"; }));
  CHECK(founded([](auto& f) { f[1].name = "a\nb"; }));
  CHECK(founded([](auto& f) { f[1].anchors.clear(); }));
  CHECK(founded([](auto& f) { f[1].anchors[0] = word(1); }));
  CHECK(founded([](auto& f) { f[1].anchors[0] = word(3); }));
  CHECK(founded([](auto& f) { f[1].anchors[0] = hash32{}; }));
  CHECK(founded([](auto& f) { f[0].validators.clear(); }));
  CHECK(founded([](auto& f) { f[1].validators = f[0].validators; }));
  CHECK(founded([](auto& f) { f[1].validators = {test_key(2).account()}; }));
  CHECK(founded([](auto& f) { f.resize(257, f[1]); }));
  CHECK(refused([](auto& g) { g.chain_id = ~std::uint64_t{0}; }));
  CHECK(refused([](auto& g) { g.block_gas_limit = 1; }));
  CHECK(refused([](auto& g) { g.block_gas_limit = ~std::uint64_t{0}; }));
  auto options = test_options(dirs / "y");
  options.genesis.reset();
  CHECK(chain::open(options).error().is(chain_errc::no_chain));
}

TEST_CASE("a transaction goes from the pool into a block and is found again") {
  temp_dir dirs;
  auto key = test_key(9);
  auto on = open_chain(test_options(dirs / "a"));
  auto txn = make_txn(key, 0, input_of(op::emit, word(1), word(2)));
  auto hash = on->submit(txn.raw());
  REQUIRE(hash);
  CHECK(*hash == txn.hash());
  CHECK(on->submit(txn.raw()).error().is(pool_errc::already_known));
  REQUIRE(on->submit(make_txn(key, 1, input_of(op::store, word(1), word(2)))));
  CHECK(on->has_executable());
  CHECK(*on->pending_nonce(key.account()) == 2);
  CHECK(on->account_of(key.account())->nonce == 0);
  REQUIRE(on->find_pending(*hash) != nullptr);
  CHECK(on->find_pending(*hash)->raw() == txn.raw());
  CHECK_FALSE(on->find_txn(*hash)->has_value());

  auto block = seal_block(*on, 1234);
  REQUIRE(block);
  CHECK(on->head() == *block);
  CHECK((*block)->header.block_num == 1);
  CHECK((*block)->header.timestamp == 1234);
  CHECK((*block)->header.parent_hash == on->genesis_hash());
  CHECK((*block)->header.coinbase == test_key(1).account());
  CHECK((*block)->encoded_size == encode_block((*block)->content()).size());
  CHECK(check_header((*block)->header, (*on->block_by_num(0))->header, on->genesis_hash()));
  CHECK_FALSE(on->has_executable());
  CHECK(on->find_pending(*hash) == nullptr);
  CHECK(*on->pending_nonce(key.account()) == 2);
  CHECK(on->account_of(key.account())->nonce == 2);
  CHECK(on->submit(txn.raw()).error().is(execution_errc::nonce_too_low));

  auto place = *on->find_txn(*hash);
  REQUIRE(place);
  CHECK(place->block == *block);
  CHECK(place->index == 0);
  CHECK((*block)->first_log_index(1) == 1);
  const auto& outcome = (*block)->outcomes[0];
  CHECK(outcome.consensus.ok);
  CHECK(outcome.gas_used == outcome.consensus.cumulative_gas_used);
  CHECK((*block)->header.gas_used == outcome.gas_used + (*block)->outcomes[1].gas_used);
  CHECK((*block)->header.logs_bloom.may_contain(test_address().view()));
  CHECK((*on->seals_of(1))->seals.size() == 1);
  CHECK_FALSE(on->seals_of(2)->has_value());
  CHECK(*on->block_by_hash((*block)->hash) == *block);
  CHECK(*on->block_by_hash(keccak256("no block")) == nullptr);
  CHECK(*on->block_by_num(2) == nullptr);
}

TEST_CASE("what never fits is refused at the door") {
  temp_dir dirs;
  auto on = open_chain(test_options(dirs / "a"));
  auto key = test_key(9);
  txn_fields fields;
  fields.gas_limit = 50'000;
  fields.to = test_address();
  auto submit = [&](txn_fields with, std::uint64_t chain_id = default_chain_id) {
    return on->submit(make_signed(std::move(with), key, chain_id)->raw()).error();
  };
  CHECK(submit(fields, 1).is(txn_errc::wrong_chain));
  auto rich = fields;
  rich.value = u256(1);
  CHECK(says(submit(rich), "insufficient funds"));
  auto creating = fields;
  creating.to.reset();
  CHECK(submit(creating).is(execution_errc::contract_creation));
  auto hungry = fields;
  hungry.gas_limit = default_block_gas_limit + 1;
  CHECK(submit(hungry).is(execution_errc::gas_above_block));
  auto starving = fields;
  starving.gas_limit = 20'000;
  CHECK(submit(starving).is(execution_errc::gas_below_intrinsic));
  auto far = fields;
  far.nonce = 256;
  CHECK(submit(far).is(pool_errc::nonce_gap));
  auto raw = make_signed(fields, key, default_chain_id)->raw();
  CHECK_FALSE(on->submit(bytes_view(raw).first(raw.size() - 1)));
  CHECK_FALSE(on->submit(bytes_view{}));
  CHECK_FALSE(on->submit(bytes(200'000, 2)));
  CHECK(on->stats().pool_txns == 0);
}

TEST_CASE("a failed transaction is in the chain with its reason, also after a restart") {
  temp_dir dirs;
  auto key = test_key(9);
  hash32 reverted;
  hash32 exhausted;
  auto check = [&](chain& on) {
    auto place = *on.find_txn(reverted);
    REQUIRE(place);
    const auto& outcome = place->block->outcomes[place->index];
    CHECK_FALSE(outcome.consensus.ok);
    CHECK(outcome.consensus.logs.empty());
    CHECK(outcome.revert_output == nope());
    CHECK(place->block->txns[place->index].sender() == key.account());
    auto second = *on.find_txn(exhausted);
    REQUIRE(second);
    CHECK_FALSE(second->block->outcomes[second->index].consensus.ok);
    CHECK(second->block->outcomes[second->index].gas_used == 1'000'000);
    CHECK(second->block->outcomes[second->index].revert_output.empty());
    CHECK(on.account_of(key.account())->nonce == 3);
    CHECK(on.storage_of(test_address(), word(1))->is_zero());
  };
  block_ptr before;
  {
    auto on = open_chain(test_options(dirs / "a"));
    reverted = *on->submit(make_txn(key, 0, input_of(op::revert, word(1), word(2))));
    exhausted = *on->submit(make_txn(key, 1, input_of(op::burn)));
    REQUIRE(on->submit(make_txn(key, 2, input_of(op::emit, word(1), word(2)))));
    REQUIRE(seal_block(*on));
    before = on->head();
    check(*on);
  }
  auto again = open_chain(test_options(dirs / "a"));
  check(*again);
  const auto& after = *again->head();
  CHECK(&after != before.get());
  CHECK(after.hash == before->hash);
  CHECK(after.header == before->header);
  CHECK(after.encoded_size == before->encoded_size);
  for (std::size_t i = 0; i < after.outcomes.size(); ++i) {
    CHECK(after.outcomes[i].consensus == before->outcomes[i].consensus);
    CHECK(after.outcomes[i].gas_used == before->outcomes[i].gas_used);
    CHECK(after.txns[i].hash() == before->txns[i].hash());
  }
}

TEST_CASE("a restarted chain goes on, and old states stay readable") {
  temp_dir dirs;
  auto key = test_key(9);
  std::vector<hash32> hashes;
  for (std::uint64_t nonce = 0; nonce < 6; ++nonce) {
    auto options = test_options(dirs / "a");
    if (nonce == 3) options.genesis.reset();
    auto on = open_chain(options);
    CHECK(on->head()->header.block_num == nonce);
    REQUIRE(on->submit(make_txn(key, nonce, input_of(op::store, word(5), word(nonce)))));
    REQUIRE(seal_block(*on));
    hashes.push_back(on->head()->hash);
  }
  auto on = open_chain(test_options(dirs / "a"));
  CHECK(*on->storage_of(test_address(), word(5), 0) == word(55));
  for (std::uint64_t num = 1; num <= 6; ++num) {
    CHECK((*on->block_by_num(num))->hash == hashes[num - 1]);
    CHECK(*on->storage_of(test_address(), word(5), num) == word(num - 1));
    CHECK(on->account_of(key.account(), num)->nonce == num);
    CHECK(on->call({.to = test_address(), .input = input_of(op::load, word(5))}, num)->output
          == to_bytes(word(num - 1).view()));
  }
  CHECK(on->storage_of(test_address(), word(5), 7).error().is(chain_errc::unknown_block));
}

TEST_CASE("calls and estimates leave nothing behind") {
  temp_dir dirs;
  auto on = open_chain(test_options(dirs / "a"));
  call_request request{
      .from = test_key(9).account(), .to = test_address(), .input = input_of(op::load, word(5))};
  CHECK(on->call(request)->output == to_bytes(word(55).view()));
  request.input = input_of(op::revert, word(1), word(1));
  CHECK(on->call(request)->status == call_status::reverted);
  CHECK(on->estimate_gas(request)->output == nope());
  request.input = input_of(op::burn);
  CHECK(on->call(request)->status == call_status::out_of_gas);
  request.input = input_of(op::store, word(1), word(1));
  auto estimate = on->estimate_gas(request)->gas_used;
  CHECK(on->storage_of(test_address(), word(1))->is_zero());
  REQUIRE(on->submit(make_txn(test_key(9), 0, request.input, estimate)));
  REQUIRE(seal_block(*on));
  CHECK(on->head()->outcomes[0].consensus.ok);
  CHECK(on->head()->outcomes[0].gas_used < estimate);
  CHECK(*on->storage_of(test_address(), word(1)) == word(1));
}

TEST_CASE("proofs of accounts and slots hold against the header's state root") {
  temp_dir dirs;
  auto on = open_chain(test_options(dirs / "a"));
  for (std::uint64_t i = 0; i < 40; ++i)
    REQUIRE(on->submit(make_txn(test_key(9), i, input_of(op::store, word(100 + i), word(i + 1)))));
  REQUIRE(seal_block(*on));
  std::vector<hash32> slots{word(105), word(9999)};
  auto proof = on->prove(test_address(), slots);
  REQUIRE(proof);
  auto shown =
      verify_proof(on->head()->header.state_root, keccak256(test_address().view()).view(), proof->nodes);
  REQUIRE(shown);
  CHECK(**shown == encode_account(proof->item));
  CHECK(proof->slots[0].value == word(6));
  CHECK(*verify_proof(proof->item.storage_root, keccak256(slots[0].view()).view(), proof->slots[0].nodes)
        == bytes{6});
  CHECK(*verify_proof(proof->item.storage_root, keccak256(slots[1].view()).view(), proof->slots[1].nodes)
        == std::nullopt);
  auto old = on->prove(test_address(), slots, 0);
  CHECK(old->slots[0].value.is_zero());
  CHECK(verify_proof((*on->block_by_num(0))->header.state_root, keccak256(test_address().view()).view(),
                     old->nodes));
}

TEST_CASE("another node checks a block by executing it, and commits the same") {
  temp_dir dirs;
  auto proposer = open_chain(test_options(dirs / "a"));
  auto follower = open_chain(test_options(dirs / "b"));
  for (std::uint64_t i = 0; i < 5; ++i) {
    REQUIRE(proposer->submit(make_txn(test_key(9), 2 * i, input_of(op::emit, word(i), word(2)))));
    REQUIRE(proposer->submit(make_txn(test_key(9), 2 * i + 1, input_of(op::store, word(i), word(i)))));
    REQUIRE(proposer->submit(make_txn(test_key(8), i, input_of(op::revert, word(i), word(i)))));
    REQUIRE(seal_block(*proposer, 100 + i));
    auto imported = follower->import_block(received(*proposer->head()), {});
    REQUIRE(imported);
    CHECK((*imported)->hash == proposer->head()->hash);
    CHECK(follower->head() == *imported);
    CHECK((*imported)->outcomes.back().revert_output == proposer->head()->outcomes.back().revert_output);
  }
  CHECK(*follower->storage_of(test_address(), word(4)) == word(4));
}

TEST_CASE("a block that breaks any rule is refused by the rule it breaks") {
  temp_dir dirs;
  auto proposer = open_chain(test_options(dirs / "a"));
  auto follower = open_chain(test_options(dirs / "b"));
  REQUIRE(proposer->submit(make_txn(test_key(9), 0, input_of(op::emit, word(1), word(2)))));
  auto candidate = proposer->build_block(50, test_key(1).account(), 10);
  REQUIRE(candidate);
  const auto good = received(*(*candidate)->block);
  auto broken = [&](auto rule, auto change) {
    auto bad = good;
    change(bad);
    auto made = follower->validate_block(bad);
    return !made && made.error().is(rule);
  };
  auto flip = [](auto& raw) { raw[3] ^= 1; };
  CHECK(broken(chain_errc::unknown_parent, [&](block& b) { flip(b.header.parent_hash); }));
  CHECK(broken(chain_errc::unknown_parent, [&](block& b) { b.header.block_num = 2; }));
  CHECK(broken(chain_errc::state_root, [&](block& b) { flip(b.header.state_root); }));
  CHECK(broken(chain_errc::txns_root, [&](block& b) { flip(b.header.txns_root); }));
  CHECK(broken(chain_errc::receipts_root, [&](block& b) { flip(b.header.receipts_root); }));
  CHECK(broken(chain_errc::logs_bloom, [&](block& b) { flip(b.header.logs_bloom); }));
  CHECK(broken(chain_errc::gas_used, [&](block& b) { b.header.gas_used += 1; }));
  CHECK(broken(block_errc::parent_seals, [&](block& b) { flip(b.header.extra_data); }));
  CHECK(broken(block_errc::parent_seals, [&](block& b) { b.parent_seals.round_num = 1; }));
  CHECK(broken(header_errc::extra_data_size, [&](block& b) { b.header.extra_data = {1}; }));
  CHECK(broken(seal_errc::not_a_validator, [&](block& b) { // nobody seals block 0
    b.parent_seals.seals.resize(1);
    b.header.extra_data = to_bytes(hash_of_seals(b.parent_seals).view());
  }));
  CHECK(broken(header_errc::gas_limit, [&](block& b) { b.header.gas_limit += 1; }));
  CHECK(broken(header_errc::difficulty, [&](block& b) { b.header.difficulty = u256(2); }));
  CHECK(broken(header_errc::base_fee, [&](block& b) { b.header.base_fee = u256(2); }));
  CHECK(broken(chain_errc::gas_used, [&](block& b) { b.txns.clear(); }));
  CHECK(broken(chain_errc::txn_not_executable, [&](block& b) { b.txns.push_back(b.txns[0]); }));
  CHECK(broken(chain_errc::txn_not_executable, [&](block& b) { b.txns[0] = make_txn(test_key(9), 1, {}); }));
  // The coinbase and a later timestamp are the proposer's choice; consensus judges them.
  auto other = good;
  other.header.coinbase = test_key(5).account();
  CHECK(follower->validate_block(other));
  auto made = follower->validate_block(good);
  REQUIRE(made);
  CHECK(follower->head()->header.block_num == 0);
  REQUIRE(follower->commit(*made, {}));
  CHECK(follower->head()->hash == (*candidate)->block->hash);
}

TEST_CASE("a proposal is executed once, however often it is looked at") {
  temp_dir dirs;
  std::size_t executions = 0;
  auto options = test_options(dirs / "a");
  options.contracts.kinds[0].code = std::make_shared<counting_contract>(executions);
  auto on = open_chain(options);
  REQUIRE(on->submit(make_txn(test_key(9), 0, input_of(op::store, word(1), word(1)))));
  auto candidate = on->build_block(1, test_key(1).account(), 10);
  REQUIRE(candidate);
  auto again = on->validate_block(received(*(*candidate)->block));
  REQUIRE(again);
  CHECK(*again == *candidate);
  REQUIRE(on->commit(*again, {}));
  CHECK(executions == 1);
}

TEST_CASE(
    "only one of two candidates for a block can be committed, and committing it again changes nothing") {
  temp_dir dirs;
  auto on = open_chain(test_options(dirs / "a"));
  REQUIRE(on->submit(make_txn(test_key(9), 0, input_of(op::store, word(1), word(1)))));
  auto first = *on->build_block(1, test_key(1).account(), 10);
  auto second = *on->build_block(2, test_key(1).account(), 10);
  CHECK(first->block->hash != second->block->hash);
  REQUIRE(on->commit(second, {}));
  CHECK(on->commit(first, {}).error().is(chain_errc::stale_candidate));
  CHECK(*on->commit(second, {}) == second->block);
  CHECK(on->head() == second->block);
  CHECK(on->head()->header.block_num == 1);
}

TEST_CASE("a block takes what its gas allows and leaves the rest for the next") {
  temp_dir dirs;
  auto options = test_options(dirs / "a");
  options.genesis->block_gas_limit = 2'500'000;
  auto on = open_chain(options);
  for (std::uint64_t i = 0; i < 5; ++i)
    REQUIRE(on->submit(make_txn(test_key(9), i, input_of(op::burn))));
  REQUIRE(on->submit(make_txn(test_key(8), 0, input_of(op::emit, word(1), word(1)), 50'000)));
  REQUIRE(seal_block(*on));
  // Two burn a million each; the third does not fit, the small one of somebody else does.
  CHECK(on->head()->txns.size() == 3);
  CHECK(on->head()->txns[2].sender() == test_key(8).account());
  REQUIRE(seal_block(*on));
  CHECK(on->head()->txns.size() == 2);
  REQUIRE(seal_block(*on));
  CHECK(on->head()->txns.size() == 1);
  CHECK_FALSE(on->has_executable());
  auto limited = on->build_block(0, test_key(1).account(), 0);
  CHECK((*limited)->block->txns.empty());
}

TEST_CASE("a transaction that breaks the program is dropped, the others go on") {
  temp_dir dirs;
  auto on = open_chain(test_options(dirs / "a"));
  REQUIRE(on->submit(make_txn(test_key(9), 0, input_of(op::crash))));
  REQUIRE(on->submit(make_txn(test_key(9), 1, input_of(op::store, word(1), word(1)))));
  REQUIRE(on->submit(make_txn(test_key(8), 0, input_of(op::store, word(2), word(2)))));
  auto block = seal_block(*on);
  REQUIRE(block);
  CHECK((*block)->txns.size() == 1);
  CHECK(on->account_of(test_key(9).account())->nonce == 0);
  CHECK_FALSE(on->has_executable());
}

} // namespace chain_test
