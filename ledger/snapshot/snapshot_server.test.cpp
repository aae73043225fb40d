#include "ledger/snapshot/snapshot_server.hpp"

#include "ledger/snapshot/snapshot_driver.hpp"
#include "ledger/snapshot/testing/snapshot_fixture.hpp"
#include "ledger/store/block_store.hpp"
#include "ledger/store/recorded_disk.hpp"

#include <doctest/doctest.h>

namespace snapshot_server_test {

using namespace swarm;
using namespace swarm::sync;
using namespace swarm::ledger;
using namespace swarm::ledger::test;
using namespace swarm::sync::test;
using namespace std::chrono_literals;

namespace {

/// A node with the same genesis, at first alone.
struct follower {
  temp_dir dir;
  std::unique_ptr<chain> on;

  explicit follower(const std::function<void(chain_options&)>& change_options = [](auto&) {}) {
    auto options = options_for(dir / "chain");
    change_options(options);
    auto opened = chain::open(options);
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
    on = std::move(*opened);
  }
  void follow(const chain& from, std::uint64_t to) {
    for (auto i = on->head()->header.block_num + 1; i <= to; ++i) {
      const auto block = *from.block_by_num(i);
      REQUIRE(on->import_block(block->content(), **from.seals_of(i)));
    }
  }
};

std::vector<handover> all_changes(chain& from, std::uint64_t to) {
  chain_snapshots snapshots(from);
  std::vector<handover> out;
  const auto found = snapshots.changes(change, 0, to, 100);
  REQUIRE(found);
  for (const auto block_num : found->blocks)
    out.push_back(*snapshots.handover_at(block_num));
  return out;
}

trust_answer ask_trust(snapshot_server& server, std::uint64_t after, std::size_t bytes_max = 1'000'000) {
  const auto raw = server.answer(encode(question(trust_question{after})), bytes_max);
  REQUIRE(raw);
  auto out = decode_trust_answer(*raw);
  REQUIRE(out);
  return std::move(*out);
}

std::vector<std::uint64_t> blocks_of(const trust_answer& from) {
  std::vector<std::uint64_t> out;
  for (const auto& each : from.changes)
    out.push_back(decode_header(each.block.header)->block_num);
  return out;
}

} // namespace

TEST_CASE("who passed a change of validators while it took a snapshot tells of it once") {
  source from(100);
  follower node;
  const auto changes = all_changes(*from.on, 80); // proved from the genesis block on
  node.follow(*from.on, 30);                      // then the chain went on by itself
  take_state(*node.on, *from.on, 80);
  chain_snapshots snapshots(*node.on);
  REQUIRE(snapshots.adopt(past(*from.on, 80), changes));
  CHECK(snapshots.gaps().states == std::vector<block_range>{{31, 79}});
  node.follow(*from.on, 100);

  const auto found = snapshots.changes(change, 0, 96, 100);
  REQUIRE(found);
  CHECK(found->blocks == std::vector<std::uint64_t>{10, 30, 31, 64, 90});
  CHECK(found->all);
  for (std::size_t max = 1; max < 6; ++max) { // whoever asks on gets them all
    std::vector<std::uint64_t> told;
    for (bool all = false; !all && told.size() < 6;) {
      const auto some = snapshots.changes(change, told.empty() ? 0 : told.back(), 96, max);
      REQUIRE(some);
      CHECK(some->blocks.size() <= max);
      CHECK((some->all || !some->blocks.empty()));
      told.insert(told.end(), some->blocks.begin(), some->blocks.end());
      all = some->all;
    }
    CHECK(told == found->blocks);
  }
  // Somebody else believes what is told.
  snapshot_server server(*node.on, change);
  const auto answer = ask_trust(server, 0);
  trust_chain trust({node.on->chain_id(), node.on->genesis_hash()}, {0, *node.on->validators_after(0)});
  for (const auto& each : answer.changes) {
    const auto taken = trust.follow(each);
    CHECK_MESSAGE(taken, (taken ? "" : taken.error().message));
  }
  REQUIRE(answer.pivot);
  CHECK(trust.arrive(*answer.pivot));
  for (std::uint64_t i = 0; i <= 100; ++i)
    CHECK(*node.on->validators_after(i) == *from.on->validators_after(i));
}

TEST_CASE("kept changes beyond the block asked for do not hide that there are no more before it") {
  source from(100);
  follower node;
  const auto changes = all_changes(*from.on, 80);
  take_state(*node.on, *from.on, 80);
  chain_snapshots snapshots(*node.on);
  REQUIRE(snapshots.adopt(past(*from.on, 80), changes));
  const auto found = snapshots.changes(change, 0, 5, 2); // 10 and 30 are kept, later ones too
  REQUIRE(found);
  CHECK(found->blocks.empty());
  CHECK(found->all);
}

TEST_CASE("what an adopted snapshot has executed leaves the pool, also after an error that was none") {
  source from(40);
  follower node;
  const auto first = make_txn(test_key(8), 0, input_of(op::emit, word(1), word(2)));
  const auto last = make_txn(test_key(8), 1, input_of(op::emit, word(1), word(2)));
  const auto waits = make_txn(test_key(8), 2, input_of(op::emit, word(1), word(2)));
  REQUIRE(from.on->submit(first.raw()));
  REQUIRE(from.on->submit(last.raw()));
  from.grow(20);
  take_state(*node.on, *from.on, 48);
  for (const auto* txn : {&first, &last, &waits})
    REQUIRE(node.on->submit(txn->raw()));
  chain_snapshots snapshots(*node.on);
  const auto pivot = past(*from.on, 48);
  REQUIRE(snapshots.adopt(pivot, all_changes(*from.on, 48)));
  CHECK(node.on->find_pending(first.hash()) == nullptr);
  CHECK(node.on->find_pending(last.hash()) == nullptr);
  CHECK(node.on->find_pending(waits.hash()) != nullptr);
  CHECK(*node.on->pending_nonce(test_key(8).account()) == 3);
  const auto again = snapshots.adopt(pivot, {});
  REQUIRE(again);
  CHECK((*again)->hash == pivot.hash);
}

TEST_CASE("a snapshot whose write seemed to fail and had not is a head like any other") {
  source from(40);
  const auto done = make_txn(test_key(8), 0, input_of(op::emit, word(1), word(2)));
  REQUIRE(from.on->submit(done.raw()));
  from.grow(20);
  temp_dir empty;
  recorded_disk disk(empty / "none");
  for (const bool by_adopting : {true, false}) {
    follower node([&](chain_options& options) { options.env = disk.env(); });
    take_state(*node.on, *from.on, 48);
    REQUIRE(node.on->submit(done.raw()));
    chain_snapshots snapshots(*node.on);
    const auto pivot = past(*from.on, 48);
    const auto changes = all_changes(*from.on, 48);
    disk.fail_next_sync();
    const auto failed = snapshots.adopt(pivot, changes);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().category == error_category(store_errc{}));
    CHECK(node.on->head()->header.block_num == 0);
    CHECK(node.on->find_pending(done.hash()) != nullptr);
    if (by_adopting) REQUIRE(snapshots.adopt(pivot, changes));
    if (!by_adopting) REQUIRE(node.on->write_records({})); // whatever is written next finds it
    REQUIRE(node.on->head()->hash == pivot.hash);
    CHECK(node.on->find_pending(done.hash()) == nullptr);
    CHECK(snapshots.gaps().blocks == std::vector<block_range>{{1, 47}});
    node.follow(*from.on, 60);
  }
}

TEST_CASE("who cannot read its own validators takes no snapshot, and calls nobody a liar") {
  source from(12);
  follower node;
  node.follow(*from.on, 12);
  const auto shown = node.on->prove(validators_account(), validator_slots(0));
  REQUIRE(shown);
  const auto root = keccak256(shown->slots.front().nodes.front());
  node.on.reset();
  {
    const auto store = block_store::open({.dir = node.dir / "chain"});
    REQUIRE(store);
    kv_batch batch;
    batch.erase(column::trie_nodes, root.view());
    REQUIRE((*store)->tables().write(batch));
  }
  auto opened = chain::open(options_for(node.dir / "chain"));
  REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
  CHECK_FALSE(chain_snapshots(**opened).trusted());
  snapshot_driver driver(**opened, {});
  driver.set_neighbors({{1, 1000}}, {{1, 1000}}, time_point{} + 1h);
  const auto out = driver.take();
  CHECK(out.asks.empty());
  CHECK(out.useless.empty());
  CHECK_FALSE(driver.active());
  CHECK_FALSE(driver.status().trouble.empty());
}

TEST_CASE("the records that go with a snapshot are made before it is the head and written with it") {
  source from(60);
  follower node([](chain_options& options) {
    options.pivot_records = [](const chain& before, std::uint64_t pivot_num) {
      CHECK(before.head()->header.block_num == 10);
      return std::vector<consensus_record>{{"place", bytes{static_cast<std::uint8_t>(pivot_num)}}};
    };
  });
  node.follow(*from.on, 10);
  take_state(*node.on, *from.on, 48);
  CHECK_FALSE(chain_snapshots(*node.on).adopt(past(*from.on, 9), {})); // no record of what is refused
  CHECK_FALSE(*node.on->record_of("place"));
  REQUIRE(chain_snapshots(*node.on).adopt(past(*from.on, 48), all_changes(*from.on, 48)));
  CHECK(*node.on->record_of("place") == bytes{48});
}

TEST_CASE("history is given as it is stored, with the seals that the block after it names") {
  source from(40);
  follower node;
  take_state(*node.on, *from.on, 32);
  chain_snapshots snapshots(*node.on);
  REQUIRE(snapshots.adopt(past(*from.on, 32), all_changes(*from.on, 32)));
  std::vector<verified_block> blocks;
  for (std::uint64_t i = 31; i > 15; --i)
    blocks.push_back(past(*from.on, i));
  REQUIRE(snapshots.store_past(blocks));

  snapshot_server server(*node.on, change);
  const auto raw = server.answer(encode(question(history_question{32, 100})), 1'000'000);
  REQUIRE(raw);
  const auto answer = decode_history_answer(*raw);
  REQUIRE(answer);
  REQUIRE(answer->blocks.size() == 17); // down to the gap
  for (std::uint64_t i = 32; i > 15; --i) {
    const auto& block = answer->blocks[32 - i];
    const auto above = (*from.on->block_by_num(i + 1))->parent_seals;
    const auto checked = check_past_block(block, i, (*from.on->block_by_num(i))->hash, hash_of_seals(above),
                                          from.on->chain_id());
    REQUIRE(checked);
    CHECK(checked->seals == above);
    CHECK(block.receipts == (*chain_snapshots(*from.on).past_block(i))->receipts);
  }
  CHECK_FALSE(*snapshots.past_block(15));
  CHECK_FALSE(*snapshots.past_block(33));
}

TEST_CASE("a server proves once and keeps what it proved within its bound") {
  source from(100);
  snapshot_server server(*from.on, change);
  const auto first = ask_trust(server, 0);
  CHECK(blocks_of(first) == std::vector<std::uint64_t>{10, 30, 31, 64});
  const auto kept = server.kept_bytes();
  CHECK(kept > 0);
  const auto same = ask_trust(server, 0);
  CHECK(encode(same) == encode(first));
  CHECK(server.kept_bytes() == kept);
  CHECK(blocks_of(ask_trust(server, 30)) == std::vector<std::uint64_t>{31, 64});
  CHECK(server.kept_bytes() == kept);
  from.grow(20); // another pivot, another change
  const auto later = ask_trust(server, 31);
  CHECK(blocks_of(later) == std::vector<std::uint64_t>{64, 90});
  CHECK(decode_header(later.pivot->block.header)->block_num == 96);
  CHECK(server.kept_bytes() > kept);

  const std::size_t bound = kept / 2;
  snapshot_server poor(*from.on, change, {.kept_bytes_max = bound});
  for (const std::uint64_t after : {0u, 31u, 0u, 64u}) {
    CHECK(encode(ask_trust(poor, after)) == encode(ask_trust(server, after)));
    CHECK(poor.kept_bytes() <= bound);
  }
  CHECK(encode(ask_trust(server, 0))
        == *answer_part(*from.on, change, encode(question(trust_question{0})), 1'000'000));
}

TEST_CASE("neighbors have their share of the thread that answers them, together and each") {
  part_pacer pacer({.neighbor_share = 0.1, .all_share = 0.25, .saved = 1s});
  auto now = time_point{} + 1h;
  CHECK(pacer.wait_of(1, now) == 0ms);
  pacer.charge(1, 100ms, now); // all that was saved up
  CHECK(pacer.wait_of(1, now) == 0ms);
  pacer.charge(1, 100ms, now);
  CHECK(pacer.wait_of(1, now) == 1s);
  CHECK(pacer.wait_of(2, now) == 0ms);
  pacer.charge(2, 100ms, now); // together more than a quarter of a second
  CHECK(pacer.wait_of(2, now) == 200ms);
  CHECK(pacer.wait_of(3, now) == 200ms);
  CHECK(pacer.wait_of(1, now) == 1s);
  now += 1s;
  CHECK(pacer.wait_of(1, now) == 0ms);

  // However it asks, a neighbor gets a tenth.
  duration took{};
  const auto until = now + 60s;
  while (now < until) {
    const auto wait = pacer.wait_of(1, now);
    now += wait + 20ms; // the answer is made meanwhile
    pacer.charge(1, 20ms, now);
    took += 20ms;
  }
  CHECK(took < 6500ms);
  CHECK(took > 5500ms);
  for (neighbor_id neighbor = 0; neighbor < 5000; ++neighbor)
    pacer.charge(neighbor, 1us, now);
  CHECK(pacer.neighbors() <= 1024);
}

} // namespace snapshot_server_test
