#include "ledger/chain/chain.hpp"
#include "tests/simulator/scenarios/stage.hpp"

/// A node that is far behind, on real chains.
namespace swarm::simulator {

using namespace consensus;

namespace {

void decide(stage& on, std::uint64_t blocks) {
  for (std::uint64_t i = 0; i < blocks; ++i) {
    const auto next = on.node(0).head_num() + 1;
    on.work(0);
    on.until_head({0}, next);
  }
}

/// Votes until `node` is a validator.
void let_in(stage& on, std::size_t node) {
  const auto wanted = on.node(0).app().validators().size() + 1;
  for (std::uint64_t turn = 1; on.node(0).app().validators().size() < wanted; ++turn) {
    for (const auto id : on.node(0).app().change_works(turn, node, true))
      on.node(0).offer(id);
    on.run(second);
    on.expect(turn < 20, "votes let a validator in");
  }
}

/// A node takes a snapshot while others decide and die, and it dies itself.
void snapshot_under_way(stage& on) {
  const std::size_t late = 4, newcomer = 5;
  on.cut(late);
  decide(on, 12);
  let_in(on, newcomer);
  decide(on, 70 - on.node(0).head_num());
  on.join(late);
  on.until("a pivot", [&] { return on.node(late).snapshot().pivot > 0; });
  on.node(1).crash();
  on.work(0);
  on.run(30 * millisecond);
  on.expect(on.net().counts().snapshots == 0, "the state is not here yet");
  on.node(late).crash();
  on.node(late).start();
  on.until("a pivot again", [&] { return on.node(late).snapshot().pivot > 0; });
  on.node(2).crash(unsynced::lost);
  on.node(1).start();
  on.work(0);
  on.until("a snapshot", [&] { return on.net().counts().snapshots == 1; });
  on.expect(on.node(late).head_num() >= 48, "the pivot is the head, or blocks after it");
  on.work(3);
  on.all_well();
  on.until("history", [&] { return on.node(late).app().chain()->history_complete(); });
  on.node(late).crash();
  on.all_well();
  on.expect(on.net().counts().snapshots == 1, "one snapshot is enough");
  // It votes as any validator.
  let_in(on, late);
  on.node(3).crash();
  on.node(newcomer).crash(unsynced::kept);
  on.work(0);
  on.work(late);
  const auto next = on.net().highest_head() + 1;
  on.until_head({0, 1, 2, late}, next);
  on.all_well();
}

/// A validator dies as soon as it has a snapshot, and is needed when it comes back.
void snapshot_of_validator(stage& on) {
  const std::size_t late = 3;
  on.work(late); // it has voted before
  on.all_well();
  on.cut(late);
  decide(on, 70);
  on.join(late);
  on.until("a snapshot", [&] { return on.net().counts().snapshots == 1; });
  on.node(late).crash();
  on.node(2).crash();
  on.node(late).start();
  on.work(0);
  on.until_head({0, 1, late}, on.net().highest_head() + 1);
  on.all_well();
}

/// A neighbor claims to be far ahead and proves nothing; all others are near.
void claimed_head(stage& on) {
  const std::size_t liar = 3, newcomer = 4;
  on.cut(newcomer);
  decide(on, 15);
  on.send_head(liar, newcomer, 1'000'000);
  on.until("the newcomer looks for a snapshot",
           [&] { return on.node(newcomer).snapshot().phase == "proving"; });
  on.all_well();
  on.expect(on.net().counts().snapshots == 0, "there is none to take");
}

} // namespace

std::span<const scenario> snapshot_scenarios() {
  static const std::vector<scenario> all{
      {.name = "snapshot-under-way",
       .source = "issue: nodes that are far behind catch up while others decide, die and come",
       .checks = "a snapshot over a change of validators, with crashes on all sides; then it votes",
       .plan = plan_of(4, {}, 2),
       .play = snapshot_under_way,
       .snapshot_gap = 20,
       .mistake = "the validators after a snapshot are taken for those before it",
       .fails_with = "1 agreement",
       .plant = [](auto& options) { options.planted_shell.keeps_set_over_gap = true; }},
      {.name = "snapshot-of-validator",
       .source = "found here: a validator kept silent after a snapshot until the others decided without it",
       .checks =
           "who took a snapshot and was killed then votes again; with one more away, the chain needs it",
       .plan = plan_of(4, {}, 0),
       .play = snapshot_of_validator,
       .snapshot_gap = 20,
       .mistake = "the record of consensus does not come with the snapshot",
       .fails_with = "the scene did not come about: a block",
       .plant = [](auto& options) { options.planted_shell.forgets_at_pivot = true; }},
      {.name = "claimed-head",
       .source = "found here: blocks waited for snapshots that a neighbor only promised",
       .checks = "a neighbor that claims a far head and proves nothing delays a newcomer, no more",
       .plan = plan_of(4, {3}, 1),
       .play = claimed_head,
       .snapshot_gap = 20,
       .mistake = "no blocks are asked for while somebody claims to be far ahead",
       .fails_with = "6 liveness",
       .plant = [](auto& options) { options.planted_shell.waits_for_claims = true; }},
  };
  return all;
}

} // namespace swarm::simulator
