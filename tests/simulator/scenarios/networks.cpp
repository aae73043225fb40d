#include "ledger/consensus/quorum.hpp"
#include "tests/simulator/scenarios/stage.hpp"

/// Quorums, losses and clocks, without liars.
namespace swarm::simulator {

using namespace consensus;

namespace {

using passing = stage::passing;
constexpr auto proposal = message_code::proposal;

/// Two halves that do not hear each other, with work in each.
void halves(stage& on, const std::set<std::size_t>& one, std::size_t in_one, std::size_t in_other) {
  on.partition(one);
  on.work(in_one);
  on.work(in_other);
  on.run(10 * second);
}

void six_validators(stage& on) {
  halves(on, {0, 1, 2}, 0, 3);
  on.expect(on.net().highest_head() == 0, "three of six decide nothing");
  on.all_well();
}

void three_validators(stage& on) {
  halves(on, {0}, 0, 1);
  on.expect(on.node(0).head_num() == 0 && on.node(1).head_num() > 0, "two of three decide, one does not");
  on.all_well();
}

/// Everything that is said is lost the first time, on each link.
void first_time_lost(stage& on) {
  std::set<std::tuple<std::size_t, std::size_t, message_code, std::uint64_t, std::uint64_t>> lost;
  on.let([lost](const passing& p) mutable {
    return !lost.emplace(p.from, p.to, p.head.code, p.head.block_num, p.head.round_num).second;
  });
  for (std::size_t i = 0; i < 4; ++i) {
    on.work(i);
    const auto next = on.net().highest_head() + 1;
    on.until_head({0, 1, 2, 3}, next);
  }
  on.all_well();
}

/// No proposal arrives until round 8, in which it is the turn of a node that is not there.
void long_rounds(stage& on) {
  on.let([](const passing& p) { return !p.is(proposal); });
  on.work(1);
  on.until(
      "round 8", [&] { return on.node(1).status().round_num == 8; }, 200 * second);
  on.all_well();
}

/// Every node is alone for an hour, and none must run ahead of the others.
void drift(stage& on) {
  for (std::size_t i = 0; i < 4; ++i)
    on.cut(i);
  for (std::size_t i = 0; i < 4; ++i)
    on.work(i);
  on.run(3600 * second);
  for (std::size_t i = 0; i < 4; ++i)
    on.expect(on.node(i).status().round_num == 1, "a lonely node waits in round 1");
  on.all_well(5 * second);
}

void idle(stage& on) {
  on.run(3600 * second);
  on.expect(on.said_count() == 0, "an idle chain is silent");
  on.work(2);
  on.all_well(2 * second);
  on.expect(on.net().check().later_rounds() == 0, "decided in round 0");
}

/// The proposer is heard by all and hears nobody.
void deaf_proposer(stage& on) {
  on.net().air().deaf[0] = true;
  on.work(0);
  on.until_head({1, 2, 3}, 1);
  on.work(1);
  on.run(5 * second);
  on.expect(on.node(1).head_num() == 2 && on.node(0).head_num() == 0, "the others go on without it");
  on.all_well();
}

/// Wall clocks are seconds apart: time does not go back, and nobody is refused.
void wall_clocks(stage& on) {
  for (std::uint64_t i = 0; i < 8; ++i) {
    on.work(i % 4);
    on.until_head({0, 1, 2, 3}, i + 1);
  }
  on.expect(on.net().check().later_rounds() == 0, "no proposer is refused for its clock");
  on.all_well();
}

/// A neighbor that claims a long chain and never sends it.
void lying_sync(stage& on) {
  const std::size_t liar = 3, newcomer = 4;
  on.cut(newcomer);
  for (std::uint64_t i = 0; i < 20; ++i) {
    on.work(0);
    on.until_head({0}, i + 1);
  }
  on.send_head(liar, newcomer, 1'000'000);
  on.until("the newcomer asks the liar", [&] { return on.take_question(newcomer, liar).has_value(); });
  on.all_well();
  on.expect(on.node(newcomer).head_num() >= 20, "the whole chain");
}

} // namespace

std::span<const scenario> network_scenarios() {
  static const std::vector<scenario> all{
      {.name = "six-validators",
       .source = "reference, section 2: 2f + 1 is wrong at n = 6 (GoQuorum before Ceil2Nby3Block)",
       .checks = "two halves of six validators decide nothing apart",
       .plan = plan_of(6),
       .play = six_validators,
       .mistake = "a quorum of 2f + 1",
       .fails_with = "1 agreement",
       .plant = [](auto& options) { options.planted.quorum_two_f_plus_one = true; }},
      {.name = "three-validators",
       .source = "reference, section 2: 2f + 1 is 1 at n = 2 and 3",
       .checks = "one of three validators decides nothing alone, two do",
       .plan = plan_of(3),
       .play = three_validators,
       .mistake = "a quorum of 2f + 1",
       .fails_with = "1 agreement",
       .plant = [](auto& options) { options.planted.quorum_two_f_plus_one = true; }},
      {.name = "first-time-lost",
       .source = "besu PR 8397: nothing is said again",
       .checks = "every message is lost once on each link, and all is decided",
       .plan = plan_of(4),
       .play = first_time_lost,
       .mistake = "what was said is not repeated",
       .fails_with = "the scene did not come about: a block",
       .plant = [](auto& options) { options.planted_shell.never_repeats = true; }},
      {.name = "long-rounds",
       .source = "reference, section 2: timers that double without bound (4096 s in round 10)",
       .checks = "after many failed rounds a sound network decides soon",
       .plan = plan_of(4, {0}),
       .play = long_rounds,
       .mistake = "each round takes twice as long as the one before, without end",
       .fails_with = "6 liveness",
       .plant = [](auto& options) { options.planted_shell.doubles_for_ever = true; }},
      {.name = "drift",
       .source = "reference, section 2: nodes drift apart without early round changes (Besu)",
       .checks = "nodes that were alone for an hour are one round apart at most and decide at once",
       .plan = plan_of(4),
       .play = drift},
      {.name = "idle",
       .source = "quorum#1630, besu#10917, #11109, #2095: empty blocks and timers that run without work",
       .checks = "an hour without work is silent, and work is then decided in round 0",
       .plan = plan_of(4),
       .play = idle},
      {.name = "deaf-proposer",
       .source = "one-way failures",
       .checks = "a proposer that hears nobody holds nobody up",
       .plan = plan_of(4),
       .play = deaf_proposer},
      {.name = "wall-clocks",
       .source = "reference, section 2: require timestamp >= parent and treat time as data",
       .checks = "wall clocks that are some seconds apart delay nothing",
       .plan =
           [] {
             auto plan = plan_of(4);
             plan.skew_max = 2 * second;
             return plan;
           }(),
       .play = wall_clocks},
      {.name = "lying-sync",
       .source = "issue: absent and empty nodes catch up whatever a neighbor claims",
       .checks = "a neighbor that claims a long chain and does not send it delays a newcomer, no more",
       .plan = plan_of(4, {3}, 1),
       .play = lying_sync,
       .mistake = "a neighbor that does not answer is not passed over",
       .fails_with = "6 liveness",
       .plant = [](auto& options) { options.planted_shell.never_asks_again = true; }},
  };
  return all;
}

} // namespace swarm::simulator
