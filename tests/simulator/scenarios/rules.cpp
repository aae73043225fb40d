#include "tests/simulator/abstract_app.hpp"
#include "tests/simulator/network.hpp"
#include "tests/simulator/scenarios/stage.hpp"

/// Rules of the chain that a proposer would like to bend.
namespace swarm::simulator {

using namespace consensus;

namespace {

/// Block 2 is the liar's, and it says that others sealed block 1 than did.
void parent_seals(stage& on) {
  const std::size_t liar = 1;
  on.work(0);
  on.until_head({0, 2, 3}, 1);
  const auto first = *on.proposal(0);
  ledger::seal_record seals;
  for (const std::size_t who : {0, 2, 3})
    seals.seals.push_back({on.commit_of(who, 0).seal});
  on.node(liar).app().commit(first.block, seals, {});
  const auto good = on.own_block(liar);
  const auto own_seal = [&](std::uint8_t variant) {
    return ledger::commit_seal{on.pen(liar).commit(1, 0, first.block.hash, variant).seal};
  };
  const std::vector<ledger::seal_record> forged{
      {},
      {0, {seals.seals[0], seals.seals[1]}},
      {0, {seals.seals[0], seals.seals[1], seals.seals[1]}},
      {0, {own_seal(0), own_seal(1), own_seal(2)}},
      {1, seals.seals},
  };
  const auto& record = forged.at(on.variant());
  on.say(liar, {0, 2, 3}, on.pen(liar).proposal(0, forger::with_parent_seals(good, record)));
  on.work(0);
  on.run(200 * millisecond);
  if (!on.mistaken()) {
    for (const std::size_t who : {0, 2, 3})
      on.expect(!on.said(who, message_code::prepare, 0, 2), "nobody votes for forged seals of the parent");
  } else {
    on.vote(liar, {0, 2, 3}, 0, forger::with_parent_seals(good, record));
  }
  on.until_head({0, 2, 3}, 2);
  on.all_well();
}

/// Another quorum than the voters know of is as good.
void another_quorum(stage& on) {
  const std::size_t liar = 1;
  on.work(0);
  on.until_head({0, 2, 3}, 1);
  const auto first = *on.proposal(0);
  ledger::seal_record seals;
  for (const std::size_t who : {3, 2, 0})
    seals.seals.push_back({on.commit_of(who, 0).seal});
  on.node(liar).app().commit(first.block, seals, {});
  const auto block = on.own_block(liar);
  on.expect(*parent_seals_of(*block.raw) == seals, "the block has the seals that its maker knows");
  on.say(liar, {0, 2, 3}, on.pen(liar).proposal(0, block));
  on.vote(liar, {0, 2, 3}, 0, block);
  on.until_head({0, 2, 3}, 2);
  on.expect(on.said(0, message_code::prepare, 0, 2), "decided in round 0");
  on.all_well();
}

/// The first block is the liar's, and dated an hour ahead.
void early_block(stage& on) {
  const std::size_t liar = 0;
  on.node(liar).app().add_work(1'000'000);
  const auto block = *on.node(liar).app().build(on.net().now() + 3600 * second, 0);
  on.say(liar, {1, 2, 3}, on.pen(liar).proposal(0, block));
  on.vote(liar, {1, 2, 3}, 0, block);
  on.run(200 * millisecond);
  if (!on.mistaken())
    for (const std::size_t who : {1, 2, 3})
      on.expect(!on.said(who, message_code::prepare, 0), "nobody votes for a block of the next hour");
  on.work(1);
  on.until_head({1, 2, 3}, 1);
  on.all_well();
}

/// Three of four validators let new rules begin; the fourth runs an older program.
void new_rules(stage& on) {
  const std::size_t older = 3;
  const std::uint64_t begin = 30;
  on.node(older).crash();
  on.node(older).app().know_rules(1);
  on.node(older).start();
  for (const std::size_t voter : {0, 1, 2})
    for (const auto id : on.node(voter).app().rules_works(voter, begin))
      on.node(voter).offer(id);
  while (on.node(older).head_num() < begin - 1) {
    const auto next = on.node(older).head_num() + 1;
    on.work(next % 3);
    on.until_head({0, 1, 2, older}, next);
  }
  on.expect(on.node(older).head_num() == begin - 1, "the old rules end with the block before");
  on.expect(!on.node(older).app().knows_rules(), "the older program stops");
  for (const std::size_t newer : {0, 1, 2})
    on.expect(on.node(newer).app().knows_rules(), "the newer programs go on");
  on.node(older).crash();
  for (int i = 0; i < 5; ++i) {
    on.work(0);
    on.until_head({0, 1, 2}, begin + static_cast<std::uint64_t>(i));
  }
  on.node(older).app().know_rules(2);
  on.node(older).start();
  on.all_well();
  on.expect(on.node(older).head_num() > begin, "the new program goes on where the old one stopped");
}

/// A proposer that is away is waited for once, and again after its rest.
void absent_proposer(stage& on) {
  on.cut(3);
  const auto decide = [&](std::uint64_t blocks) {
    for (std::uint64_t i = 0; i < blocks; ++i) {
      on.work(i % 3);
      on.until_head({0, 1, 2}, on.net().highest_head() + 1);
    }
  };
  const auto failed_rounds = [&](std::uint64_t count) {
    const auto seen = on.net().check().later_rounds() / 3; // by each of the others
    on.expect(seen == count, fmt::format("{} blocks in a later round, not {}", count, seen));
  };
  decide(20);
  failed_rounds(1);
  on.run(601 * second);
  decide(20);
  failed_rounds(2);
  on.all_well();
}

} // namespace

std::span<const scenario> rule_scenarios() {
  static const std::vector<scenario> all{
      {.name = "parent-seals",
       .source = "issue: a block commits to the seals of its parent",
       .checks = "no block is voted for that names other seals of its parent than a quorum's",
       .plan = plan_of(4, {1}),
       .play = parent_seals,
       .variants = 5,
       .mistake = "what a proposal says of its parent's seals is believed",
       .fails_with = "10 parent's seals",
       .plant = [](auto& options) { options.planted_shell.trusts_parent_seals = true; }},
      {.name = "another-quorum",
       .source = "issue: a block commits to the seals of its parent",
       .checks = "any quorum's seals of the parent will do",
       .plan = plan_of(4, {1}),
       .play = another_quorum},
      {.name = "new-rules",
       .source = "issue: a new version of the rules takes effect at a block that the validators vote",
       .checks =
           "a validator whose program does not know the new rules stops, and catches up with a newer one",
       .plan = plan_of(4),
       .play = new_rules,
       .snapshot_gap = 1000},
      {.name = "early-block",
       .source = "issue: block time at most 5 s ahead of a voter's clock",
       .checks = "a block that is dated an hour ahead gets no vote and costs one round",
       .plan = plan_of(4, {0}),
       .play = early_block,
       .mistake = "voters do not look at a block's date",
       .fails_with = "11 time",
       .plant = [](auto& options) { options.planted_shell.takes_any_time = true; }},
      {.name = "absent-proposer",
       .source = "found here: each cycle of the ring waited for a proposer that was away",
       .checks = "a proposer that is away costs a round once in its time of rest",
       .plan = plan_of(4),
       .play = absent_proposer,
       .snapshot_gap = 1'000'000,
       .mistake = "nobody rests",
       .fails_with = "expected: 1 blocks in a later round, not 7",
       .plant = [](auto& options) { options.planted_rule = faulty_rule::nobody_rests; }},
  };
  return all;
}

} // namespace swarm::simulator
