// Chains that give up old states, as those who serve snapshots and as those who take one.
#include "ledger/chain/store_check.hpp"
#include "ledger/snapshot/snapshot_driver.hpp"
#include "ledger/snapshot/snapshot_server.hpp"
#include "ledger/snapshot/testing/snapshot_fixture.hpp"

#include <doctest/doctest.h>

namespace pruned_test {

using namespace swarm;
using namespace swarm::sync;
using namespace swarm::ledger;
using namespace swarm::ledger::test;
using namespace swarm::sync::test;
using namespace std::chrono_literals;

namespace {

/// A chain that keeps few states.
struct forgetful {
  temp_dir dir;
  std::uint64_t keep;
  std::unique_ptr<chain> on;

  explicit forgetful(std::uint64_t keep_states) : keep(keep_states) { open(); }
  void open() {
    on.reset();
    auto options = options_for(dir / "chain");
    options.limits.keep_states = keep;
    options.limits.prune_stamps = 10;
    auto opened = chain::open(options);
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
    on = std::move(*opened);
  }
  void follow(const chain& from, std::uint64_t to) {
    for (auto i = on->head()->header.block_num + 1; i <= to; ++i) {
      const auto block = *from.block_by_num(i);
      const auto taken =
          on->import_block({block->header, block->txns, block->parent_seals}, **from.seals_of(i));
      REQUIRE_MESSAGE(taken, (taken ? "" : taken.error().message));
    }
  }
  bool prune() {
    const auto more = on->prune();
    REQUIRE_MESSAGE(more, (more ? "" : more.error().message));
    return *more;
  }
  void prune_all() {
    for (int idle = 0; idle < 2;)
      idle = prune() ? 0 : idle + 1;
  }
  std::uint64_t first() const { return on->stats().states_from; }
  void check_sound() {
    on.reset();
    const auto report =
        check_store({.dir = dir / "chain", .contracts = options_for(dir / "chain").contracts});
    REQUIRE_MESSAGE(report, (report ? "" : report.error().message));
    CHECK_MESSAGE(report->sound(), verdict(*report));
    open();
  }
};

/// Takes a snapshot of `from` with a real driver.
void take_snapshot(snapshot_driver& driver, chain& from) {
  time_point now{};
  for (int turn = 0; turn < 500; ++turn) {
    const std::vector<neighbor_claim> all{{1, from.head()->header.block_num}};
    driver.set_neighbors(all, all, now);
    for (bool asked = true; asked;) {
      const auto out = driver.take();
      REQUIRE_FALSE(out.broken);
      if (out.adopted) return;
      asked = !out.asks.empty();
      for (const auto& ask : out.asks)
        driver.on_part(1, ask.tag, *answer_part(from, change, encode(ask.what), 30'000), now);
    }
    now += 1s;
    driver.tick(now);
  }
  FAIL("no snapshot was taken");
}

driver_options quick() {
  driver_options out;
  out.snapshot = {.gather = 0s, .nodes_asked = 20, .batch_bytes = 2000};
  return out;
}

} // namespace

TEST_CASE("who gave up old states proves all validators there ever were, as one that keeps them") {
  source from(100);
  forgetful node(10);
  node.follow(*from.on, 60);
  node.prune_all();
  node.follow(*from.on, 100);
  node.prune_all();
  REQUIRE(node.first() == 91);
  for (int start = 0; start < 2; ++start) {
    chain_snapshots own(*node.on), theirs(*from.on);
    const auto changes = own.changes(change, 0, 100, 100).value();
    CHECK(changes.blocks == std::vector<std::uint64_t>{10, 30, 31, 64, 90});
    CHECK(changes.blocks == theirs.changes(change, 0, 100, 100)->blocks);
    for (const std::uint64_t block_num : {0, 10, 30, 31, 64, 90, 91, 100})
      CHECK(encode_handover(*own.handover_at(block_num)) == encode_handover(*theirs.handover_at(block_num)));
    for (std::uint64_t i = 0; i <= 100; ++i)
      CHECK(*node.on->validators_after(i) == *from.on->validators_after(i));
    CHECK(node.on->prove_validators(50).error().is(chain_errc::state_missing));
    node.check_sound(); // and it starts anew
  }
}

TEST_CASE("a newcomer takes a snapshot from one that gives up states all the time") {
  source from(100);
  forgetful node(40), newcomer(0);
  node.follow(*from.on, 100);
  node.prune_all();
  REQUIRE(node.first() == 61);
  snapshot_driver driver(*newcomer.on, quick());
  take_snapshot(driver, *node.on);
  CHECK(newcomer.on->head()->header.block_num == 80);
  for (std::uint64_t i = 0; i <= 80; ++i)
    CHECK(*newcomer.on->validators_after(i) == *from.on->validators_after(i));
  newcomer.follow(*from.on, 100);
  newcomer.check_sound();
}

TEST_CASE("a snapshot taken in the middle of each step of pruning is whole, and so is the store after it") {
  source from(100);
  std::size_t parts_in_all = 1;
  for (std::size_t parts = 0; parts < parts_in_all; parts += 3) {
    CAPTURE(parts);
    forgetful node(10);
    node.follow(*from.on, 45);
    for (std::size_t i = 0; i < parts; ++i)
      node.prune();
    {
      snapshot_driver driver(*node.on, quick());
      take_snapshot(driver, *from.on);
    }
    REQUIRE(node.on->head()->header.block_num == 80);
    CHECK(*node.on->account_of(test_address()) == *from.on->account_of(test_address(), 80));
    node.check_sound();
    node.prune_all(); // the head is too close to the snapshot
    CHECK(node.first() <= 36);
    node.follow(*from.on, 100);
    while (node.prune())
      if (node.first() < 91) CHECK(node.on->account_of(test_address(), 85));
    node.prune_all();
    CHECK(node.first() == 91);
    for (std::uint64_t i = 0; i <= 100; ++i)
      CHECK(*node.on->validators_after(i) == *from.on->validators_after(i));
    for (std::uint64_t slot = 0; slot < 300; slot += 7)
      CHECK(*node.on->storage_of(test_address(), word(slot))
            == *from.on->storage_of(test_address(), word(slot)));
    node.check_sound();
    if (parts_in_all > 1) continue;
    forgetful measured(10);
    measured.follow(*from.on, 45);
    while (measured.prune())
      ++parts_in_all;
  }
}

TEST_CASE("parts of a snapshot that was given up go with old states, and never make the store unsound") {
  source from(100);
  forgetful node(10);
  node.follow(*from.on, 45);
  node.prune_all();
  // A part of the state after block 80, as far as a snapshot came.
  state_walk walk((*from.on->block_by_num(80))->header.state_root,
                  [&](const state_part& part) { return chain_snapshots(*node.on).has_node(part.hash); });
  chain_snapshots theirs(*from.on), own(*node.on);
  REQUIRE(walk.begin());
  for (int i = 0; i < 30 && !walk.complete(); ++i)
    for (const auto& part : walk.next(3))
      REQUIRE(walk.take(part.hash,
                        part.kind == part_kind::code ? *theirs.code(part.hash) : *theirs.node(part.hash)));
  REQUIRE_FALSE(walk.complete());
  REQUIRE(own.store_state(walk.take_batch()));
  node.check_sound();
  node.follow(*from.on, 70);
  for (int parts = 0; parts < 60; parts += 7) {
    for (int i = 0; i < parts; ++i)
      node.prune();
    node.check_sound(); // after which a round begins anew
  }
  node.prune_all();
  node.check_sound();
  {
    snapshot_driver driver(*node.on, quick()); // and again, with what is left of them
    from.grow(40);
    take_snapshot(driver, *from.on);
    CHECK(*node.on->account_of(test_address()) == *from.on->account_of(test_address(), 112));
  }
  node.check_sound();
}

} // namespace pruned_test
