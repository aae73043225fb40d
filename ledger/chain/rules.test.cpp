#include "base/testing/wording.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"
#include "ledger/formats/rlp.hpp"

#include <doctest/doctest.h>

#include <map>

namespace rules_test {

/// Rules that every block keeps: the seals of its parent, and the version of the rules.
using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;
using swarm::testing::says;

namespace {

seal_record sealed_by(const chain& on, const hash32& block, std::initializer_list<std::uint8_t> keys,
                      std::uint64_t round_num = 0) {
  seal_record out{.round_num = round_num, .seals = {}};
  for (const auto key : keys)
    out.seals.push_back(
        {test_key(key).sign_recoverable(seal_digest(on.chain_id(), on.genesis_hash(), block, round_num))});
  return out;
}

/// Four validators, keys 1 to 4.
chain_options four_validators(const std::filesystem::path& dir) {
  auto out = test_options(dir);
  out.genesis->validators.clear();
  for (const std::uint8_t i : {1, 2, 3, 4})
    out.genesis->validators.push_back(test_key(i).account());
  return out;
}

candidate_ptr next_of(chain& on) {
  const auto head_num = on.head()->header.block_num;
  REQUIRE(on.submit(make_txn(test_key(9), head_num, input_of(op::store, word(1), word(head_num)))));
  return *on.build_block(100 + head_num, test_key(1).account(), 10);
}

/// In the place of the validators' contract it takes a schedule of rules, elsewhere it notes which rules are in
/// force in which block.
class rules_probe final : public native_contract {
public:
  call_outcome call(contract_host& host, const call_context& context, bytes_view input) const override {
    if (context.self == validators_account())
      host.store(context.self, u256(rules_slot), *hash32::from_view(input));
    else
      host.store(context.self, u256(context.block_num), u256(context.rules));
    return {};
  }
};

chain_options rules_options(const std::filesystem::path& dir, std::uint64_t known) {
  auto out = test_options(dir);
  out.contracts.kinds[0].code = std::make_shared<rules_probe>();
  out.contracts.genesis.push_back({validators_account(), test_kind, {}});
  out.rules_known = known;
  return out;
}

/// Block 1 schedules version 2 of the rules for block 4.
void make_block(chain& on) {
  const auto head_num = on.head()->header.block_num;
  auto txn = make_txn(test_key(9), head_num, {});
  if (head_num == 0) {
    auto fields = txn.fields();
    fields.to = validators_account();
    fields.data = to_bytes(word_of(rules_schedule{1, 2, 4}).view());
    txn = make_signed(fields, test_key(9), default_chain_id).value();
  }
  REQUIRE(on.submit(txn));
  REQUIRE(seal_block(on, head_num));
}

} // namespace

TEST_CASE("a block names the seals of its parent; other validators' quorum is as good, and takes its place") {
  temp_dir dirs;
  auto ours = chain::open(four_validators(dirs / "ours")).value();
  auto theirs = chain::open(four_validators(dirs / "theirs")).value();
  const auto first = next_of(*ours);
  const auto known_here = sealed_by(*ours, first->block->hash, {1, 2, 3});
  const auto known_there = sealed_by(*ours, first->block->hash, {4, 3, 1}, 1);
  REQUIRE(ours->import_block(first->block->content(), known_here));
  REQUIRE(theirs->import_block(first->block->content(), known_there));
  CHECK(first->block->parent_seals == seal_record{});
  const auto second = next_of(*theirs);
  CHECK(second->block->parent_seals == known_there);
  CHECK(second->block->header.extra_data == to_bytes(hash_of_seals(known_there).view()));
  CHECK(**ours->seals_of(1) == known_here);
  const auto taken = ours->validate_block(second->block->content());
  REQUIRE(taken);
  CHECK((*taken)->block->hash == second->block->hash);
  REQUIRE(ours->commit(*taken, sealed_by(*ours, second->block->hash, {1, 2, 3})));
  CHECK(**ours->seals_of(1) == known_there);
  CHECK((*ours->sealed_block_of(1))->seals == encode_seals(known_there));
  // It is so after a restart, too, and what the next block names are the seals that are known here.
  ours.reset();
  ours = chain::open(four_validators(dirs / "ours")).value();
  CHECK(**ours->seals_of(1) == known_there);
  CHECK(next_of(*ours)->block->parent_seals == sealed_by(*ours, second->block->hash, {1, 2, 3}));
}

TEST_CASE("seals of the parent that are no quorum's are refused, in a proposal and in a range") {
  temp_dir dirs;
  auto proposer = chain::open(four_validators(dirs / "proposer")).value();
  const auto first = next_of(*proposer);
  const auto seals = sealed_by(*proposer, first->block->hash, {1, 2, 3});
  REQUIRE(proposer->commit(first, seals));
  const auto second = next_of(*proposer)->block->content();
  int serial = 0;
  const auto refused = [&](auto rule, const seal_record& forged) {
    auto bad = second;
    bad.parent_seals = forged;
    bad.header.extra_data = to_bytes(hash_of_seals(forged).view());
    auto voter = chain::open(four_validators(dirs / std::to_string(++serial))).value();
    REQUIRE(voter->import_block(first->block->content(), seals));
    const auto judged = voter->validate_block(bad);
    REQUIRE_FALSE(judged);
    CHECK_MESSAGE(judged.error().is(rule), judged.error().message);
    // Sealed by three liars it is no better.
    const auto raw = encode_block(bad);
    const auto raw_seals = encode_seals(sealed_by(*proposer, block_hash(bad.header), {1, 2, 3}));
    const sealed_block_view sent{raw, raw_seals, {}};
    const auto imported = voter->import_range(2, {&sent, 1});
    REQUIRE(imported.refused);
    CHECK_MESSAGE(imported.refused->is(rule), imported.refused->message);
    CHECK(voter->head()->header.block_num == 1);
    // The true block is taken all the same.
    CHECK(voter->validate_block(second));
  };
  const auto& hash = first->block->hash;
  refused(seal_errc::below_quorum, {});
  refused(seal_errc::below_quorum, sealed_by(*proposer, hash, {1, 2}));
  refused(seal_errc::duplicate_author, sealed_by(*proposer, hash, {1, 2, 2}));
  refused(seal_errc::not_a_validator, sealed_by(*proposer, hash, {1, 2, 5}));
  refused(seal_errc::not_a_validator, sealed_by(*proposer, proposer->genesis_hash(), {1, 2, 3}));
  auto other_round = sealed_by(*proposer, hash, {1, 2, 3});
  other_round.round_num = 1;
  refused(seal_errc::not_a_validator, other_round);
}

TEST_CASE("a range that comes from others brings the seals that the blocks name") {
  temp_dir dirs;
  auto from = chain::open(four_validators(dirs / "from")).value();
  std::vector<bytes> blocks, seals;
  for (int i = 0; i < 5; ++i) {
    const auto made = next_of(*from);
    REQUIRE(from->commit(made, sealed_by(*from, made->block->hash, {1, 2, 3})));
    blocks.push_back(encode_block(made->block->content()));
    // Whoever gives them knows other seals, as good as those.
    seals.push_back(encode_seals(sealed_by(*from, made->block->hash, {2, 3, 4}, 1)));
  }
  std::vector<sealed_block_view> range;
  for (std::size_t i = 0; i < blocks.size(); ++i)
    range.push_back({blocks[i], seals[i], {}});
  auto to = chain::open(four_validators(dirs / "to")).value();
  const auto done = to->import_range(1, range);
  if (done.refused) FAIL(done.refused->message);
  for (std::uint64_t i = 1; i < 5; ++i)
    CHECK(**to->seals_of(i) == **from->seals_of(i));
  CHECK(encode_seals(**to->seals_of(5)) == seals[4]);
  CHECK(next_of(*to)->block->parent_seals == **to->seals_of(5));
}

TEST_CASE("a new version of the rules is in force from the block on that was scheduled") {
  temp_dir dirs;
  auto on = chain::open(rules_options(dirs / "a", 2)).value();
  for (int i = 0; i < 6; ++i)
    make_block(*on);
  CHECK(*on->rules() == rules_schedule{1, 2, 4});
  for (const auto& [block_num, version] :
       std::map<std::uint64_t, std::uint64_t>{{2, 1}, {3, 1}, {4, 2}, {6, 2}})
    CHECK(*on->storage_of(test_address(), word(block_num)) == word(version));
  // eth_call sees the rules of the next block.
  CHECK(on->check_rules());
}

TEST_CASE("a node that does not know the rules of the next block stops there, and goes on when it does") {
  temp_dir dirs;
  auto newer = chain::open(rules_options(dirs / "newer", 2)).value();
  auto older = chain::open(rules_options(dirs / "older", 1)).value();
  std::vector<bytes> blocks, seals;
  for (std::uint64_t i = 1; i <= 6; ++i) {
    make_block(*newer);
    blocks.push_back(encode_block(newer->head()->content()));
    seals.push_back(encode_seals(**newer->seals_of(i)));
  }
  std::vector<sealed_block_view> range;
  for (std::size_t i = 0; i < blocks.size(); ++i)
    range.push_back({blocks[i], seals[i], {}});
  const auto done = older->import_range(1, range);
  REQUIRE(done.refused);
  CHECK(done.refused->is(chain_errc::unknown_rules));
  CHECK(older->head()->header.block_num == 3);
  const auto stopped = older->check_rules();
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().is(chain_errc::unknown_rules));
  CHECK(stopped.error().message
        == "from block 4 on this chain has version 2 of its rules, and this swarmd knows versions up to 1: "
           "install "
           "a newer swarmd and start it with the same data directory, nothing is lost");
  CHECK(older->build_block(100, test_key(1).account(), 10).error().is(chain_errc::unknown_rules));
  const auto fourth = decode_block(blocks[3], default_chain_id).value();
  CHECK(older->validate_block(fourth).error().is(chain_errc::unknown_rules));
  older.reset();
  older = chain::open(rules_options(dirs / "older", 2)).value();
  CHECK_FALSE(older->import_range(1, range).refused);
  CHECK(older->head()->hash == newer->head()->hash);
}

TEST_CASE("a chain begins with the rules that its parameters name, and older programs know that they do not "
          "know it") {
  temp_dir dirs;
  auto options = test_options(dirs / "new");
  options.genesis->rules = 3;
  options.rules_known = 3;
  auto on = chain::open(options).value();
  CHECK(*on->rules() == rules_schedule{3, 0, 0});
  CHECK(on->check_rules());
  on.reset();
  // Also by what stands in its directory.
  options.genesis.reset();
  on = chain::open(options).value();
  CHECK(on->genesis().rules == 3);
  on.reset();
  options.rules_known = 2;
  on = chain::open(options).value();
  CHECK(says(on->check_rules().error(), "from block 1 on this chain has version 3 of its rules"));
  on.reset();
  options.genesis = test_options(dirs / "new").genesis;
  CHECK(says(chain::open(options).error(), "it began with another version of the rules"));
}

TEST_CASE("parameters with the first rules have the bytes of release 0.2, others name their version") {
  auto params = *test_options("unused").genesis;
  const auto first = encode_genesis(params);
  rlp_writer as_before;
  as_before.begin_list().number(9).number(default_chain_id).number(0).number(default_block_gas_limit);
  as_before.begin_list().string(params.validators.at(0).view()).end_list().begin_list().end_list().end_list();
  CHECK(first == as_before.take());
  CHECK(decode_genesis(first).value() == params);
  params.rules = 7;
  const auto later = encode_genesis(params);
  CHECK(later.size() == first.size() + 1);
  CHECK(decode_genesis(later).value() == params);
  // The first rules in the form of the others are no second encoding of one chain.
  auto twice = later;
  const auto at = std::find(twice.begin(), twice.end(), 7);
  REQUIRE(at != twice.end());
  *at = 1;
  CHECK(decode_genesis(twice).error().is(chain_errc::bad_genesis));
}

} // namespace rules_test
