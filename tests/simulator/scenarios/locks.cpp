#include "tests/simulator/scenarios/stage.hpp"

/// What a node that was prepared on a block must do, and what the others must do for it.
namespace swarm::simulator {

using namespace consensus;

namespace {

using passing = stage::passing;
constexpr auto proposal = message_code::proposal;
constexpr auto prepare = message_code::prepare;
constexpr auto commit = message_code::commit;
constexpr auto round_change = message_code::round_change;

// Four validators: a proposes in round 0, the liar in round 1, c in round 2, b in round 3.
constexpr std::size_t a = 0;
constexpr std::size_t liar = 1;
constexpr std::size_t c = 2;
constexpr std::size_t b = 3;

/// a and b are prepared on a block and have sealed it; only the liar knows their seals, and with its own the
/// block is final. c has voted for the block but is not prepared.
proposed_block sealed_in_secret(stage& on) {
  on.let([](const passing& p) { return p.is(proposal) || (p.is(prepare) && p.to != c); });
  on.node(b).hold_timers(true);
  on.work(a);
  on.until("a and b seal the block", [&] { return on.said(a, commit, 0) && on.said(b, commit, 0); });
  return on.proposal(0)->block;
}

/// a is gone; b and c leave round 1, where it is the liar's turn, and the liar says that it was never
/// prepared. Whatever c then proposes in round 2, the liar votes for.
void round_two_without_a(stage& on) {
  on.cut(a);
  on.node(b).hold_timers(false);
  on.let_all();
  on.say(liar, {b, c}, on.pen(liar).round_change(1, 2));
  on.until("b and c wait in round 1",
           [&] { return on.node(b).status().round_num >= 1 && on.node(c).status().round_num >= 1; });
  if (on.node(b).status().round_num == 1) on.node(b).expire_round();
  on.until("c proposes in round 2", [&] { return on.proposal(2).has_value(); });
  on.vote(liar, {b, c}, 2, on.proposal(2)->block);
  on.until_head({b, c}, 1);
}

void round_jump(stage& on) {
  const auto block = sealed_in_secret(on);
  on.let([](const passing& p) { return p.is(round_change) && p.to != b; });
  on.until("a and c go to round 1",
           [&] { return on.said(a, round_change, 1) && on.said(c, round_change, 1); });
  const auto from_a = on.round_change_of(a, 1);
  on.say(liar, {b},
         on.pen(liar).proposal(1, block,
                               {from_a.vote, on.round_change_of(c, 1).vote, on.pen(liar).vote(1, 1)},
                               from_a.prepares));
  on.until("b jumps into round 1", [&] { return on.node(b).status().round_num == 1; });
  round_two_without_a(on);
  on.all_well();
}

void round_jump_by_votes(stage& on) {
  sealed_in_secret(on);
  on.cut(a);
  on.let([](const passing& p) { return p.is(round_change); });
  on.say(liar, {b, c}, on.pen(liar).round_change(1, 1));
  on.until("b is pulled into round 1", [&] { return on.node(b).status().round_num == 1; });
  round_two_without_a(on);
  on.all_well();
}

/// a is prepared on one block in round 0, b on another in round 1; then the liar falls silent.
void split_locks(stage& on) {
  const std::size_t second = 1, third = 2, mute = 3;
  on.let([](const passing& p) { return p.is(proposal) || (p.is(prepare) && p.to == a); });
  on.work(a);
  on.until("a is prepared", [&] { return on.said(a, commit, 0); });
  on.cut(a);
  on.let([](const passing& p) {
    return !p.is(commit) && (p.head.round_num != 1 || !p.is(prepare) || p.to == second);
  });
  on.until("the others leave round 0",
           [&] { return on.said(second, round_change, 1) && on.said(third, round_change, 1); });
  on.say(mute, {second, third}, on.pen(mute).round_change(1, 1));
  on.until("a second block is proposed", [&] { return on.proposal(1).has_value(); });
  on.say(mute, {second}, on.pen(mute).prepare(1, 1, on.proposal(1)->block.hash));
  on.until("one node is prepared on it", [&] { return on.said(second, commit, 1); });
  on.expect(on.proposal(0)->block.hash != on.proposal(1)->block.hash, "two different blocks");
  on.all_well();
}

/// a decides in round 0, the others the same block in round 1.
void sealed_twice(stage& on) {
  on.let([](const passing& p) { return p.head.round_num > 0 || !p.is(commit) || p.to == a; });
  on.work(a);
  on.until_head({a}, 1);
  on.cut(a);
  on.until_head({1, 2, 3}, 1);
  on.expect(on.said(1, commit, 1) && on.net().counts().crashes == 0, "sealed again in a later round");
  on.expect(on.node(a).app().head().hash == on.node(1).app().head().hash, "one hash for both decisions");
  on.work(a);
  on.all_well();
}

/// Everybody is prepared, nobody's seals arrive, the maker of the block dies.
void proposed_again(stage& on) {
  on.let([](const passing& p) { return p.head.round_num > 0 || !p.is(commit); });
  on.work(a);
  on.until("all are prepared", [&] {
    for (std::size_t i = 0; i < 4; ++i)
      if (!on.said(i, commit, 0)) return false;
    return true;
  });
  const auto block = on.proposal(0)->block;
  on.node(a).crash();
  on.until("a later round proposes", [&] { return on.proposal(1).has_value(); });
  on.run(2 * second);
  on.all_well();
  on.expect(on.node(1).app().head().hash == block.hash, "the block that was prepared");
  on.expect(on.node(1).app().head().proposer == on.node(a).account(), "it keeps its maker");
}

/// The block is decided but still on its way to the disk: timers and votes that come now change nothing.
void late_timer(stage& on) {
  on.let([](const passing& p) { return !p.is(commit); });
  on.work(a);
  on.until("a has voted", [&] { return on.said(a, commit, 0); });
  on.node(a).hold_disk(true);
  on.let([](const passing& p) { return !p.is(commit) || p.to == a; });
  on.until("a decides", [&] { return on.node(a).status().decided; });
  for (int i = 0; i < 3; ++i) {
    on.node(a).expire_round();
    on.run(300 * millisecond); // the others, who have not decided, say round changes
  }
  on.expect(on.said(1, round_change, 1), "the others have gone on");
  on.node(a).hold_disk(false);
  on.until_head({a}, 1);
  on.run(100 * millisecond);
  on.expect(!on.said(a, round_change, 1), "who has decided says no round change about the block");
  on.all_well();
}

constexpr std::string_view own_reading = "reference, known failure 9 (Besu's certificate at round expiry)";

} // namespace

std::span<const scenario> lock_scenarios() {
  static const std::vector<scenario> all{
      {.name = "split-locks",
       .source = "IBFT 1 (EIP-650): quorum#305, arXiv 1901.07160",
       .checks = "nodes that are prepared on different blocks in different rounds, with a mute liar, decide",
       .plan = plan_of(4, {3}),
       .play = split_locks,
       .mistake = "whoever was prepared on a block votes for no other (IBFT 1)",
       .fails_with = "6 liveness",
       .plant = [](auto& options) { options.planted_shell.stays_locked = true; }},
      {.name = "round-jump",
       .source = own_reading,
       .checks = "a node that a proposal pulls into a later round keeps its certificate",
       .plan = plan_of(4, {liar}),
       .play = round_jump,
       .mistake = "the certificate is kept when a timer expires only",
       .fails_with = "1 agreement",
       .plant = [](auto& options) { options.planted.lock_on_timeout_only = true; }},
      {.name = "round-jump-by-votes",
       .source = own_reading,
       .checks = "a node that f + 1 round changes pull into a later round keeps its certificate",
       .plan = plan_of(4, {liar}),
       .play = round_jump_by_votes,
       .mistake = "the certificate is kept when a timer expires only",
       .fails_with = "1 agreement",
       .plant = [](auto& options) { options.planted.lock_on_timeout_only = true; }},
      {.name = "sealed-twice",
       .source = "lineth-monorepo#3247 (Maru): round inside the block hash",
       .checks = "one block that is sealed in two rounds is one block",
       .plan = plan_of(4),
       .play = sealed_twice},
      {.name = "proposed-again",
       .source = "besu#3785, #6613, #6732, PR 7875: a prepared block does not survive a round change",
       .checks = "a later round decides the block that was prepared, with its hash and maker",
       .plan = plan_of(4),
       .play = proposed_again,
       .mistake = "who proposes a prepared block again makes it its own",
       .fails_with = "6 liveness",
       .plant = [](auto& options) { options.planted_shell.renames_prepared = true; }},
      {.name = "late-timer",
       .source = "besu#1734, PR 1575: a round expires between the quorum of commits and the new head",
       .checks = "who has decided says no round change, however late its disk and whatever timers expire",
       .plan = plan_of(4),
       .play = late_timer,
       .mistake = "deciding and the new head are two steps, and timers count between them",
       .fails_with = "expected: who has decided",
       .plant = [](auto& options) { options.planted.decides_in_two_steps = true; }},
  };
  return all;
}

} // namespace swarm::simulator
