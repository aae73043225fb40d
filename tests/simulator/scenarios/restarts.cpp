#include "tests/simulator/scenarios/stage.hpp"

/// What a node remembers of a life that has ended.
namespace swarm::simulator {

using namespace consensus;

namespace {

using passing = stage::passing;
constexpr auto proposal = message_code::proposal;
constexpr auto prepare = message_code::prepare;
constexpr auto commit = message_code::commit;

/// Node 0 has decided block 1 and is cut off; of the others those of `prepared` have sealed it.
void decided_far_away(stage& on, const std::vector<std::size_t>& prepared) {
  on.let([prepared](const passing& p) {
    const bool may_prepare = p.to == 0 || std::find(prepared.begin(), prepared.end(), p.to) != prepared.end();
    return p.head.round_num == 0
           && (p.is(proposal) || (p.is(prepare) && may_prepare) || (p.is(commit) && p.to == 0));
  });
  on.work(0);
  on.until_head({0}, 1);
  on.cut(0);
}

/// The others, back again, may go on without node 0; after that it returns.
void go_on_without(stage& on) {
  on.let_all();
  on.work(1);
  on.run(5 * second);
  on.all_well();
}

void amnesia(stage& on) {
  decided_far_away(on, {1, 2, 3});
  for (std::size_t i = 1; i < 4; ++i) {
    on.node(i).crash(unsynced::kept);
    on.node(i).start();
  }
  go_on_without(on);
}

void old_disk(stage& on) {
  on.node(2).app().remember();
  on.node(3).app().remember();
  decided_far_away(on, {2, 3});
  for (std::size_t i = 2; i < 4; ++i) {
    on.node(i).crash(unsynced::kept);
    if (i == 2 || on.mistaken()) on.node(i).restore_old();
    on.node(i).start();
  }
  go_on_without(on);
}

void missing_record(stage& on) {
  decided_far_away(on, {2, 3});
  for (std::size_t i = 2; i < 4; ++i) {
    on.node(i).crash(unsynced::kept);
    on.node(i).app().forget_records();
    on.node(i).start();
  }
  on.let_all();
  on.work(1);
  on.run(5 * second);
  on.expect(on.node(1).head_num() == 0 && on.node(2).status().silent, "who cannot remember is silent");
  on.join(0);
  // One at a time they see a later block decided, and speak again; until then node 0 and node 1 are too few.
  on.until_head({1, 2, 3}, 1);
  on.expect(on.node(2).status().silent && on.node(3).status().silent, "fetched blocks end no silence");
}

/// b dies while it writes its certificate with its commit; the liar would need that commit to make
/// the block final.
void torn_write(stage& on) {
  const std::size_t a = 0, liar = 1, c = 2, b = 3;
  on.let([](const passing& p) { return p.is(proposal) || (p.is(prepare) && p.to == a); });
  on.work(a);
  on.until("a and b vote", [&] { return on.said(a, commit, 0) && on.said(b, prepare, 0); });
  on.node(b).hold_disk(true);
  on.let([](const passing& p) { return p.is(prepare) && p.to == b; });
  on.until("b is prepared", [&] { return on.node(b).status().prepared.has_value(); });
  on.node(b).crash(unsynced::lost);
  on.node(b).hold_disk(false);
  on.let([](const passing& p) { return !p.is(commit) || p.head.round_num > 0; });
  on.cut(a);
  on.node(b).start();
  on.work(c);
  on.say(liar, {b, c}, on.pen(liar).round_change(1, 2));
  on.until("c proposes in round 2", [&] { return on.proposal(2).has_value(); });
  on.vote(liar, {b, c}, 2, on.proposal(2)->block);
  on.until_head({b, c}, 1);
  on.all_well();
}

/// Node 3 votes while a block that it has fetched is on its way to the disk: the vote's record comes after
/// the block's. Then it starts again.
void late_record(stage& on) {
  on.cut(3);
  on.work(0);
  on.until_head({0, 1, 2}, 1);
  on.work(3);
  on.node(3).hold_disk(true);
  on.let([](const passing&) { return false; });
  on.join(3);
  on.until("node 3 fetches the block", [&] { return on.node(3).fetching(); });
  on.node(3).expire_round();
  on.node(3).hold_disk(false);
  on.until_head({3}, 1);
  on.run(50 * millisecond);
  on.node(3).crash(unsynced::kept);
  on.node(3).start();
  on.expect(!on.node(3).status().silent, "it knows where it was");
  on.all_well();
}

/// Node 0, which proposes first, dies before one action after the other, alone or with everybody else; what
/// it had not synced is lost or kept.
void every_boundary(stage& on) {
  const auto which = on.variant() / 4;
  const auto fate = on.variant() % 2 == 0 ? unsynced::lost : unsynced::kept;
  const bool all = on.variant() / 2 % 2 == 1;
  on.node(0).crash_before(which, fate);
  for (int i = 0; i < 3; ++i) {
    on.work(i % 2 == 0 ? 0 : 1);
    on.run(60 * millisecond);
  }
  if (on.variant() + 1 == on.variant_count()) on.expect(on.node(0).is_up(), "no action without its variant");
  if (on.node(0).is_up()) return on.all_well(); // it has done less than that
  if (all)
    for (std::size_t i = 1; i < on.net().node_count(); ++i) {
      on.node(i).crash(fate);
      on.node(i).start();
    }
  on.node(0).start();
  on.work(0);
  on.all_well();
}

} // namespace

std::span<const scenario> restart_scenarios() {
  static const std::vector<scenario> all{
      {.name = "amnesia",
       .source = "besu-docs#611, besu#3785: restart all validators to reset their timers",
       .checks =
           "all that know of a decision only by their votes restart at once, and do not decide otherwise",
       .plan = plan_of(4),
       .play = amnesia,
       .mistake = "a new life says that its key has signed nothing",
       .fails_with = "1 agreement",
       .plant = [](auto& options) { options.planted_shell.forgets_votes = true; }},
      {.name = "missing-record",
       .source = "reference, section 3: the record is missing after a restart",
       .checks =
           "nodes without their record are silent, more of them than f too, and fetched blocks do not end it",
       .plan = plan_of(4),
       .play = missing_record,
       .mistake = "a new life says that its key has signed nothing",
       .fails_with = "1 agreement",
       .plant = [](auto& options) { options.planted_shell.forgets_votes = true; }},
      {.name = "old-disk",
       .source = "reference, section 3: stale-disk restore",
       .checks = "f nodes that are put back from an old copy, and cannot know it, do no harm",
       .plan = plan_of(4),
       .play = old_disk,
       .mistake = "f + 1 of them: such a node counts as a liar",
       .fails_with = "1 agreement"},
      {.name = "torn-write",
       .source = "reference, section 3: torn writes",
       .checks = "a commit is never there without its certificate",
       .plan = plan_of(4, {1}),
       .play = torn_write,
       .mistake = "a batch that was being written at a crash is there in part",
       .fails_with = "1 agreement",
       .plant = [](auto& options) { options.planted_shell.tears_batches = true; }},
      {.name = "late-record",
       .source = "found by this simulator, with the shipped synchronisation in it",
       .checks = "votes that reach the disk after a fetched block of their height do not make a node silent",
       .plan = plan_of(4),
       .play = late_record,
       .mistake = "records of a height that the chain has passed are written",
       .fails_with = "expected: it knows",
       .plant = [](auto& options) { options.planted_shell.writes_late_records = true; }},
      {.name = "every-boundary",
       .source = "reference, section 3: crash at every persist and send; restart of everybody",
       .checks = "the proposer dies before each of its actions, alone or with all others, with what was not "
                 "synced lost or kept",
       .plan = plan_of(4),
       .play = every_boundary,
       .variants = 4 * 90,
       .mistake = "messages leave before what they depend on is on disk",
       .fails_with = "3 one digest",
       .plant = [](auto& options) { options.planted.send_before_persist = true; }},
      {.name = "lone-validator",
       .source = "reference, section 2: n = 1, everything completes inside one event",
       .checks =
           "one validator dies before each of its actions; two that follow it lose nothing it confirmed",
       .plan = plan_of(1, {}, 2),
       .play = every_boundary,
       .variants = 4 * 30},
  };
  return all;
}

} // namespace swarm::simulator
