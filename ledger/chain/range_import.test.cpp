#include "ledger/chain/testing/chain_fixture.hpp"

#include <doctest/doctest.h>

namespace range_import_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;

namespace {

/// Puts the test contract also where the validators are, so that a transaction can change them.
chain_options options_for(const std::filesystem::path& dir) {
  auto out = test_options(dir);
  out.contracts.genesis.push_back({validators_account(), test_kind, {}});
  return out;
}

struct sent_block {
  bytes block;
  bytes seals;
  std::vector<consensus_record> records;
};

bytes seals_by(const chain& on, const executed_block& block, std::initializer_list<std::uint8_t> keys,
               std::uint64_t round_num = 0) {
  seal_record out{.round_num = round_num, .seals = {}};
  for (const auto key : keys)
    out.seals.push_back({test_key(key).sign_recoverable(
        seal_digest(on.chain_id(), on.genesis_hash(), block.hash, round_num))});
  return encode_seals(out);
}

/// A chain of `count` blocks; with block `change` validator 1 hands over to validator 2.
std::vector<sent_block> make_blocks(const std::filesystem::path& dir, std::size_t count,
                                    std::size_t change = 0) {
  auto on = chain::open(options_for(dir)).value();
  std::vector<sent_block> out;
  for (std::uint64_t num = 1; num <= count; ++num) {
    auto txn = make_txn(test_key(9), num - 1, input_of(op::store, word(num % 7), word(num)));
    if (num == change) {
      hash32 second;
      const auto account = test_key(2).account();
      std::copy(account.begin(), account.end(), second.begin() + 12);
      auto fields = txn.fields();
      fields.to = validators_account();
      fields.data = input_of(op::store, word(first_validator_slot), second);
      txn = make_signed(fields, test_key(9), default_chain_id).value();
    }
    REQUIRE(on->submit(txn.raw()));
    const auto made = on->build_block(num, test_key(1).account(), 10).value();
    const std::uint8_t sealer = change != 0 && num > change ? 2 : 1;
    const auto seals = seals_by(*on, *made->block, {sealer});
    REQUIRE(on->commit(made, decode_seals(seals).value()));
    out.push_back({encode_block(made->block->content()), seals, {}});
  }
  return out;
}

range_outcome import(chain& on, std::uint64_t first, const std::vector<sent_block>& blocks) {
  std::vector<sealed_block_view> range;
  for (const auto& one : blocks)
    range.push_back({one.block, one.seals, one.records});
  return on.import_range(first, range);
}

} // namespace

TEST_CASE("a range is in the chain and on disk when it was imported") {
  temp_dir dirs;
  auto blocks = make_blocks(dirs / "source", 100);
  blocks[69].records = {{"place", {70}}};
  hash32 head;
  {
    auto on = chain::open(options_for(dirs / "late")).value();
    REQUIRE(on->submit(
        make_txn(test_key(9), 0, input_of(op::store, word(1), word(1))))); // the first block has it
    const auto done = import(*on, 1, blocks);
    if (done.refused) FAIL(done.refused->message);
    REQUIRE(done.blocks.size() == 100);
    CHECK(on->head() == done.blocks.back());
    CHECK_FALSE(on->has_executable());
    head = on->head()->hash;
    const auto sent = on->sealed_block_of(42).value();
    REQUIRE(sent);
    CHECK(sent->block == blocks[41].block);
    CHECK(sent->seals == blocks[41].seals);
    CHECK_FALSE(on->sealed_block_of(101).value());
  }
  auto on = chain::open(options_for(dirs / "late")).value();
  CHECK(on->head()->hash == head);
  CHECK(on->record_of("place").value() == bytes{70});
  for (std::uint64_t num = 1; num <= 100; ++num)
    CHECK(on->storage_of(test_address(), word(num % 7), num).value() == word(num));
  // The same range again, and more: blocks that are there are passed over.
  const auto nothing = import(*on, 1, blocks);
  CHECK(nothing.blocks.empty());
  CHECK_FALSE(nothing.refused);
}

TEST_CASE("a range ends before the first block that is wrong, and says by which rule") {
  temp_dir dirs;
  const auto good = make_blocks(dirs / "source", 80);
  const auto other = make_blocks(dirs / "other", 3);
  auto source = chain::open(options_for(dirs / "source")).value();
  const auto block_50 = source->block_by_num(50).value();
  int serial = 0;
  auto refused = [&](auto rule, auto change) {
    auto blocks = good;
    change(blocks[49]);
    const auto dir = dirs / std::to_string(++serial);
    {
      auto on = chain::open(options_for(dir)).value();
      const auto done = import(*on, 1, blocks);
      REQUIRE(done.refused);
      CAPTURE(done.refused->message);
      CHECK(done.refused->is(rule));
      CHECK(done.blocks.size() == 49);
      CHECK(on->head()->header.block_num == 49);
    }
    auto on = chain::open(options_for(dir)).value();
    CHECK(on->head()->header.block_num == 49);
    const auto rest = import(*on, 1, good); // from somebody else
    CHECK_FALSE(rest.refused);
    CHECK(on->head()->hash == source->head()->hash);
  };
  auto sealed_again = [&](sent_block& one, const block& content) {
    one.block = encode_block(content);
    executed_block shown;
    shown.hash = block_hash(content.header);
    one.seals = seals_by(*source, shown, {1});
  };
  auto content = block_50->content();
  refused(seal_errc::not_a_validator, [&](auto& one) { one.seals = seals_by(*source, *block_50, {3}); });
  refused(seal_errc::below_quorum, [&](auto& one) { one.seals = seals_by(*source, *block_50, {}); });
  refused(seal_errc::too_many, [&](auto& one) { one.seals = seals_by(*source, *block_50, {1, 1}); });
  refused(seal_errc::not_a_validator, [&](auto& one) { one.seals = good[50].seals; }); // of another block
  refused(rlp_errc::truncated, [&](auto& one) { one.block.resize(one.block.size() / 2); });
  refused(rlp_errc::truncated, [&](auto& one) { one.seals.resize(one.seals.size() / 2); });
  refused(chain_errc::unknown_parent, [&](auto& one) { one = good[60]; }); // sealed, but elsewhere
  refused(chain_errc::txns_root, [&](auto& one) {
    auto bad = content;
    bad.txns.push_back(bad.txns[0]);
    one.block = encode_block(bad);
  });
  refused(chain_errc::state_root, [&](auto& one) {
    auto bad = content;
    bad.header.state_root[3] ^= 1;
    sealed_again(one, bad);
  });
  refused(chain_errc::receipts_root, [&](auto& one) {
    auto bad = content;
    bad.header.receipts_root[3] ^= 1;
    sealed_again(one, bad);
  });
  // Not even the first block is taken.
  auto on = chain::open(options_for(dirs / "late")).value();
  CHECK(import(*on, 2, good).refused->is(chain_errc::unknown_parent));
  CHECK(on->head()->header.block_num == 0);
}

TEST_CASE("each block of a range is sealed by the validators after the one before it") {
  temp_dir dirs;
  for (std::size_t change : {1, 2, 31, 32, 33, 60}) {
    CAPTURE(change);
    const auto name = std::to_string(change);
    const auto good = make_blocks(dirs / ("source" + name), 70, change);
    auto on = chain::open(options_for(dirs / ("late" + name))).value();
    const auto done = import(*on, 1, good);
    if (done.refused) FAIL(done.refused->message);
    CHECK(on->head()->header.block_num == 70);
    CHECK(on->validators_after(change - 1).value() == std::vector{test_key(1).account()});
    CHECK(on->validators_after(change).value() == std::vector{test_key(2).account()});
    // The old validator cannot go on after its time, nor the new one begin before.
    for (const auto at : {change - 1, change}) {
      auto bad = good;
      const auto block = on->block_by_num(at + 1).value();
      bad[at].seals = seals_by(*on, *block, {static_cast<std::uint8_t>(at == change ? 1 : 2)});
      auto victim = chain::open(options_for(dirs / ("bad" + name + "-" + std::to_string(at)))).value();
      const auto stopped = import(*victim, 1, bad);
      REQUIRE(stopped.refused);
      CHECK(stopped.refused->is(seal_errc::not_a_validator));
      CHECK(victim->head()->header.block_num == at);
    }
  }
}

TEST_CASE("a range that finds no room on the disk changes nothing") {
  temp_dir dirs;
  const auto blocks = make_blocks(dirs / "source", 40);
  { REQUIRE(chain::open(options_for(dirs / "late"))); }
  {
    auto options = options_for(dirs / "late");
    options.space_reserve_bytes = std::uint64_t{1} << 62;
    auto on = chain::open(options).value();
    const auto done = import(*on, 1, blocks);
    REQUIRE(done.refused);
    CHECK(done.refused->is(store_errc::disk_full));
    CHECK(done.blocks.empty());
    CHECK(on->head()->header.block_num == 0);
    CHECK_FALSE(on->block_by_num(1).value());
    CHECK(on->storage_of(test_address(), word(1)).value().is_zero());
  }
  auto on = chain::open(options_for(dirs / "late")).value();
  CHECK(on->head()->header.block_num == 0);
  CHECK_FALSE(import(*on, 1, blocks).refused);
}

} // namespace range_import_test
