#include "base/random.hpp"
#include "base/testing/wording.hpp"
#include "ledger/chain/chain_window.hpp"
#include "ledger/chain/store_check.hpp"
#include "ledger/chain/testing/chain_fixture.hpp"
#include "ledger/state/trie_node.hpp"
#include "ledger/store/recorded_disk.hpp"

#include <doctest/doctest.h>

#include <set>

namespace state_pruner_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;
using swarm::testing::says;

namespace {

constexpr std::uint8_t places = 6; ///< contracts that may be deployed, all with the same few slots

/// Few slots and few values, so that nodes die, come again, and are shared between contracts.
transaction random_txn(seeded_random& random, std::uint64_t nonce) {
  txn_fields fields;
  fields.nonce = nonce;
  fields.gas_limit = 1'000'000;
  fields.to = test_address();
  const auto slot = word(random.below(24)), value = word(random.below(3) * 1'000'000'007);
  fields.data = input_of(op::store, slot, value);
  const auto where = static_cast<std::uint8_t>(1 + random.below(places));
  if (random.below(8) == 0)
    fields.data = input_of(op::deploy, word(where), word(test_kind), word(7));
  else if (random.below(3) == 0)
    fields.to = test_address(where);
  return *make_signed(fields, test_key(9), default_chain_id);
}

/// All nodes of the state below `root`, by hash.
void gather(const block_store& from, const hash32& hash, bool of_accounts, std::set<hash32>& to);
void gather(const block_store& from, const trie_node& node, bool of_accounts, std::set<hash32>& to) {
  if (of_accounts && !node.value.empty()) {
    const auto item = decode_account(node.value).value();
    if (item.storage_root != empty_trie_root) gather(from, item.storage_root, false, to);
  }
  for (const auto& child : node.children) {
    if (const auto* below = std::get_if<hash32>(&child)) gather(from, *below, of_accounts, to);
    if (const auto* embedded = std::get_if<trie_node_ptr>(&child)) gather(from, **embedded, of_accounts, to);
  }
}
void gather(const block_store& from, const hash32& hash, bool of_accounts, std::set<hash32>& to) {
  to.insert(hash);
  const auto raw = from.trie_node(hash);
  REQUIRE_MESSAGE(raw, (raw ? "" : raw.error().message));
  gather(from, **decode_trie_node(*raw), of_accounts, to);
}

/// A chain that gives up states, beside one that keeps them all.
class two_chains {
public:
  explicit two_chains(std::uint64_t keep, std::uint64_t seed) : random(seed), keep_(keep) {
    whole = chain::open(test_options(dirs / "whole")).value();
    reopen();
  }
  chain_options options() const {
    auto out = test_options(dirs / "pruned");
    out.limits.keep_states = keep_;
    out.limits.prune_blocks = 3;
    out.limits.prune_stamps = 5;
    out.limits.prune_sweeps = 20;
    out.space_reserve_bytes = 0;
    return out;
  }
  void reopen() {
    pruned.reset();
    auto opened = chain::open(options());
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
    pruned = std::move(*opened);
  }
  /// `tries`: on a disk that fails, as what the store does beside may meet the failure.
  void grow(int tries = 1) {
    for (auto count = 1 + random.below(4); count > 0; --count)
      REQUIRE(whole->submit(random_txn(random, nonce_++)));
    const auto made = seal_block(*whole, nonce_).value();
    const auto seals = whole->seals_of(made->header.block_num).value().value();
    auto taken = pruned->import_block({made->header, made->txns, made->parent_seals}, seals);
    for (; !taken && tries > 1; --tries)
      taken = pruned->import_block({made->header, made->txns, made->parent_seals}, seals);
    REQUIRE_MESSAGE(taken, (taken ? "" : taken.error().message));
  }
  bool prune() {
    const auto more = pruned->prune();
    REQUIRE_MESSAGE(more, (more ? "" : more.error().message));
    return *more;
  }
  void prune_all() {
    for (int idle = 0; idle < 2;) // a sweep that ends may be followed by another round
      idle = prune() ? 0 : idle + 1;
  }
  std::uint64_t head_num() const { return whole->head()->header.block_num; }
  std::uint64_t first() const { return pruned->stats().states_from; }

  /// Every state that is kept answers as the other chain's, the others say that they are not kept.
  void compare_states() const {
    for (std::uint64_t num = 0; num <= head_num(); ++num)
      for (std::uint8_t where = 0; where <= places; ++where) {
        const auto who = where == 0 ? test_address() : test_address(where);
        const auto found = pruned->account_of(who, num);
        CHECK(pruned->has_state(num) == (num >= first()));
        if (num < first()) {
          REQUIRE_FALSE(found);
          CHECK(found.error().is(chain_errc::state_missing));
          continue;
        }
        REQUIRE_MESSAGE(found, (found ? "" : found.error().message));
        CHECK(*found == *whole->account_of(who, num));
        for (std::uint64_t slot = 0; slot < 24; slot += 5)
          CHECK(*pruned->storage_of(who, word(slot), num) == *whole->storage_of(who, word(slot), num));
      }
  }
  void check_sound() {
    pruned.reset();
    const auto report = check_store({.dir = dirs / "pruned", .contracts = test_contracts(), .progress = {}});
    REQUIRE_MESSAGE(report, (report ? "" : report.error().message));
    CHECK_MESSAGE(report->sound(), verdict(*report));
    reopen();
  }
  /// The store has the nodes of the kept states and no other.
  void check_nothing_left_over() {
    std::set<hash32> wanted, there;
    const auto from = first();
    std::vector<hash32> roots;
    for (auto num = from; num <= head_num(); ++num)
      roots.push_back((*whole->block_by_num(num))->header.state_root);
    pruned.reset();
    {
      const auto store = block_store::open({.dir = dirs / "pruned", .space_reserve_bytes = 0}).value();
      for (const auto& root : roots)
        gather(*store, root, true, wanted);
      auto at = store->tables().walk(column::trie_nodes);
      for (bool more = at.seek({}); more; more = at.next())
        there.insert(*hash32::from_view(at.key()));
    }
    CHECK(there == wanted);
    reopen();
  }

  fast_dir dirs;
  seeded_random random;
  std::unique_ptr<chain> whole, pruned;

private:
  std::uint64_t keep_;
  std::uint64_t nonce_ = 0;
};

} // namespace

TEST_CASE("random states: those that are kept are whole, and in the end nothing else is left") {
  for (const std::uint64_t seed : {1, 2}) {
    CAPTURE(seed);
    two_chains both(seed == 1 ? 1 : 12, seed);
    for (int i = 0; i < 120; ++i) {
      both.grow();
      for (auto parts = both.random.below(5); parts > 0; --parts)
        both.prune();
      if (both.random.below(25) == 0) both.reopen();
      if (i % 20 == 7) both.check_sound();
      if (i % 20 == 13) both.compare_states();
    }
    CHECK(both.first() > 20); // several rounds went by, in spite of the restarts
    both.prune_all();
    CHECK(both.first() == both.head_num() - (seed == 1 ? 0 : 11));
    both.compare_states();
    both.check_nothing_left_over();
    both.check_sound();
    both.grow();
    both.compare_states();
  }
}

TEST_CASE("without a number of states to keep, all are kept") {
  two_chains both(0, 5);
  for (int i = 0; i < 40; ++i)
    both.grow();
  CHECK_FALSE(both.prune());
  CHECK(both.first() == 0);
  both.compare_states();
}

TEST_CASE("a state that is not kept answers with what to do") {
  two_chains both(4, 6);
  for (int i = 0; i < 30; ++i)
    both.grow();
  const auto old_view = both.pruned->window()->view(); // shows it, too, when its own head is given up
  for (int i = 0; i < 10; ++i)
    both.grow();
  both.prune_all();
  REQUIRE(both.first() == 37);
  call_request to_contract;
  to_contract.to = test_address();
  const auto why = both.pruned->storage_of(test_address(), word(1), 20).error();
  CHECK(why.is(chain_errc::state_missing));
  CHECK(says(why, "no state of block 20"));
  CHECK(says(why, "from block 37 on"));
  CHECK(says(why, "--keep-states"));
  CHECK(both.pruned->call(to_contract, 36).error().is(chain_errc::state_missing));
  CHECK(both.pruned->prove(test_address(), {}, 36).error().is(chain_errc::state_missing));
  CHECK(both.pruned->prove(test_address(), {}, 37));
  CHECK(old_view->account_of(test_address()).error().is(chain_errc::state_missing));
  CHECK(old_view->block_by_num(20).value()->header.block_num == 20);
  CHECK(both.pruned->logs({.from_block = 0, .to_block = 40}));
  for (std::uint64_t num = 0; num <= both.head_num(); ++num)
    CHECK(*both.pruned->validators_after(num) == *both.whole->validators_after(num));
}

TEST_CASE("one part writes little, whatever there is to do") {
  two_chains both(4, 7);
  for (int i = 0; i < 200; ++i)
    both.grow();
  std::size_t parts = 0;
  while (both.prune())
    ++parts;
  CHECK(parts > 200 / 3 + 20); // blocks looked at by three, nodes stamped by five, swept over by twenty
}

TEST_CASE("more or all states are kept from now on when the flag changes") {
  two_chains both(4, 8);
  for (int i = 0; i < 30; ++i)
    both.grow();
  both.prune_all();
  const auto first = both.first();
  auto options = both.options();
  options.limits.keep_states = 0;
  both.pruned.reset();
  both.pruned = chain::open(options).value();
  for (int i = 0; i < 10; ++i)
    both.grow();
  CHECK_FALSE(both.prune());
  CHECK(both.first() == first);
  both.compare_states();
}

TEST_CASE("a disk that fails in the middle loses nothing, and pruning goes on") {
  two_chains both(4, 9);
  both.pruned.reset();
  recorded_disk disk(both.dirs / "pruned");
  auto options = both.options();
  options.env = disk.env();
  both.pruned = chain::open(options).value();
  int failures = 0;
  for (int i = 0; i < 25; ++i) {
    both.grow(1000);
    for (int k = 0; k < 6; ++k) {
      if (k % 2 == 0) disk.fail_next_sync();
      failures += !both.pruned->prune();
    }
    const std::vector<consensus_record> record{{"place", {1}}};
    while (!both.pruned->write_records(record)) { // takes the failure that is still due, if one is
    }
  }
  CHECK(failures > 5);
  both.prune_all();
  CHECK(both.first() == 22);
  both.compare_states();
  both.pruned.reset();
  both.reopen();
  both.check_nothing_left_over();
  both.check_sound();
}

TEST_CASE("a repair makes all states anew, and they are given up again") {
  two_chains both(4, 10);
  for (int i = 0; i < 40; ++i)
    both.grow();
  for (int i = 0; i < 12 || both.first() == 0; ++i)
    both.prune(); // and no further: in the middle of a sweep
  both.pruned.reset();
  const auto report =
      repair_store({.dir = both.dirs / "pruned", .contracts = test_contracts(), .progress = {}});
  REQUIRE_MESSAGE(report, (report ? "" : report.error().message));
  CHECK_MESSAGE(report->sound(), verdict(*report));
  both.reopen();
  CHECK(both.first() == 0);
  both.compare_states();
  both.prune_all();
  CHECK(both.first() == 37);
  both.check_nothing_left_over();
}

TEST_CASE("a store of the version before pruning is taken over") {
  two_chains both(4, 11);
  for (int i = 0; i < 20; ++i)
    both.grow();
  both.pruned.reset();
  {
    auto tables = kv_store::open({.dir = both.dirs / "pruned", .space_reserve_bytes = 0}).value();
    kv_batch batch;
    auto at = tables->walk(column::trie_nodes);
    for (bool more = at.seek({}); more; more = at.next())
      batch.put(column::trie_nodes, at.key(), at.value().subspan(8));
    batch.put(column::meta, as_bytes(std::string_view("schema")), bytes{0, 0, 0, 0, 0, 0, 0, 1});
    REQUIRE(tables->write(batch));
  }
  both.reopen();
  both.compare_states();
  for (int i = 0; i < 20; ++i) {
    both.grow();
    both.prune_all();
  }
  CHECK(both.first() == 37);
  both.compare_states();
  both.check_nothing_left_over();
  both.check_sound();
}

} // namespace state_pruner_test
