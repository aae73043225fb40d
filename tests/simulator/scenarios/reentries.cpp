#include "ledger/consensus/quorum.hpp"
#include "ledger/consensus/reentry.hpp"
#include "tests/simulator/scenarios/stage.hpp"

/// So many validators lost their records that no quorum is left, and their operators have them vote again.
namespace swarm::simulator {

using namespace consensus;

namespace {

using passing = stage::passing;
constexpr auto proposal = message_code::proposal;
constexpr auto prepare = message_code::prepare;
constexpr auto commit = message_code::commit;

void lose_record(stage& on, std::size_t which) {
  on.node(which).crash();
  on.node(which).app().forget_records();
  on.node(which).start();
}

/// What an operator does once all heads are compared. The planted mistake: he makes the node believe that
/// its key has signed nothing.
void reenter(stage& on, std::size_t which, std::uint64_t block_num,
             std::optional<std::uint64_t> round_num = {}, bool mistaken = false) {
  auto& node = on.node(which);
  node.crash();
  if (mistaken)
    node.app().write_records(
        {{record_key::place, encode_place({node.account(), on.net().domain().genesis_hash, block_num, 0})}});
  else
    on.expect(node.reenter(block_num, round_num).has_value(), "the operator's word is taken");
  node.start();
}

void no_quorum(stage& on, const std::vector<std::size_t>& silent) {
  on.run(5 * second);
  for (const auto which : silent)
    on.expect(on.node(which).status().silent, "who cannot remember is silent");
}

/// Everybody has voted for the block of node 0, and all but node 3 lose their records.
void reentry(stage& on) {
  on.let([](const passing& p) { return p.is(proposal); });
  on.work(0);
  on.until("all vote",
           [&] { return on.said(1, prepare, 0) && on.said(2, prepare, 0) && on.said(3, prepare, 0); });
  for (const std::size_t which : {0, 1, 2})
    lose_record(on, which);
  on.let_all();
  on.work(1);
  no_quorum(on, {0, 1, 2});
  on.expect(on.node(3).head_num() == 0, "one validator alone decides nothing");
  for (const std::size_t which : {0, 1, 2})
    reenter(on, which, 1, {}, on.mistaken());
  on.until_head({0, 1, 2, 3}, 1);
  on.work(2);
  on.until_head({0, 1, 2, 3}, 2);
  on.all_well();
}

/// Node 3 is prepared on the block of node 0, which could be final somewhere for all it knows. It is heard
/// while the others listen, and not any more when they vote.
void reentry_locked(stage& on) {
  on.let([](const passing& p) { return p.is(proposal) || (p.is(prepare) && p.to == 3); });
  on.work(0);
  on.until("node 3 is prepared", [&] { return on.said(3, commit, 0); });
  const auto locked = on.proposal(0)->block.hash;
  for (const std::size_t which : {0, 1, 2})
    lose_record(on, which);
  on.let([](const passing& p) { return p.from != 3 || p.head.round_num < reentry_stride; });
  on.work(1);
  no_quorum(on, {0, 1, 2});
  for (const std::size_t which : {0, 1, 2})
    reenter(on, which, 1);
  on.until_head({0, 1, 2}, 1);
  on.expect(on.node(0).app().head().hash == locked, "the block that a validator is prepared on is decided");
  on.all_well();
}

/// Node 0 alone has block 1, and the operators did not look at its head. It is connected again while the
/// others listen. The planted mistake: only after they have voted.
void reentry_unchecked(stage& on) {
  on.let([](const passing& p) { return p.is(proposal) || p.is(prepare) || (p.is(commit) && p.to == 0); });
  on.work(0);
  on.until_head({0}, 1);
  on.cut(0);
  for (const std::size_t which : {1, 2, 3})
    lose_record(on, which);
  on.let_all();
  on.work(1);
  no_quorum(on, {1, 2, 3});
  for (const std::size_t which : {1, 2, 3})
    reenter(on, which, 1);
  on.work(1); // what they knew of was lost
  if (on.mistaken()) on.until_head({1, 2, 3}, 1);
  on.join(0);
  on.until_head({1, 2, 3}, 1);
  no_quorum(on, {1, 2, 3});
  for (const std::size_t which : {1, 2})
    reenter(on, which, 2);
  on.work(1);
  on.until_head({0, 1, 2, 3}, 2);
  on.all_well();
}

/// Node 3 is gone, node 2 has lost its record. Nodes 0 and 1, fewer than a quorum, wait in early rounds; one
/// validator alone pulls nobody, so they have to go to it.
void reentry_alone(stage& on) {
  on.node(3).crash();
  lose_record(on, 2);
  on.work(0);
  no_quorum(on, {2});
  on.expect(on.node(0).head_num() == 0, "two of four decide nothing");
  reenter(on, 2, 1);
  on.until_head({0, 1, 2}, 1);
  on.all_well();
}

/// The course of `lost-records`: validators, and operators who tell each other in which rounds they re-enter.
class losses {
public:
  explicit losses(stage& on) : on_(on), count_(on.net().node_count()) {}

  void play() {
    for (std::size_t i = 0; i < on_.variant(); ++i)
      on_.net().random()();
    for (int cycle = 0; cycle < 5; ++cycle) {
      storm();
      lose_some();
      on_.net().air() = on_.net().clear_sky();
      while (!is_done())
        operate();
    }
    on_.all_well();
  }

private:
  bool chance(double p) { return on_.net().chance(p); }
  std::size_t any_node() { return on_.net().random().below(count_); }

  void storm() {
    auto& air = on_.net().air();
    air.loss = chance(0.5) ? 0.3 : 0;
    air.slow_disk = chance(0.5) ? 0.3 : 0;
    if (chance(0.3))
      for (auto& side : air.side)
        side = chance(0.5) ? 1 : 0;
    for (int i = 0; i < 6; ++i) {
      const auto who = any_node();
      if (on_.node(who).is_up()) on_.work(who);
      on_.run(on_.net().between(0, 400 * millisecond));
    }
  }

  /// From f + 1 up to all lose their records, all at once or one after the other; another one may be gone.
  void lose_some() {
    std::vector<std::size_t> order(count_);
    for (std::size_t i = 0; i < count_; ++i)
      order[i] = i;
    for (std::size_t i = count_; i > 1; --i)
      std::swap(order[i - 1], order[on_.net().random().below(i)]);
    const auto least = faults_tolerated(count_) + 1;
    const auto lost = least + on_.net().random().below(count_ - least + 1);
    for (std::size_t i = 0; i < lost; ++i) {
      lose_record(on_, order[i]);
      if (chance(0.5)) on_.run(on_.net().between(0, 50 * millisecond));
    }
    if (lost < count_ && chance(0.5)) on_.node(order[lost]).crash();
    for (std::size_t i = 0; i < count_; ++i)
      if (on_.node(i).is_up()) return on_.work(i);
  }

  bool is_done() const {
    for (std::size_t i = 0; i < count_; ++i)
      if (on_.node(i).is_up()
          && (on_.node(i).head_num() < on_.net().highest_head() || !on_.node(i).app().pending(1).empty()))
        return false;
    return true;
  }

  /// Waits for a while. If the chain stands still, all heads are one, also that of a host that is down, then
  /// those that keep silent re-enter. A host that may have a later block is started instead.
  void operate() {
    const auto before = on_.net().highest_head();
    on_.run(5 * second);
    if (++tries_ > 200) on_.expect(false, "the operators get the chain to go on");
    const auto head = on_.net().highest_head();
    if (head != before) return;
    bool stands = true;
    for (std::size_t i = 0; i < count_; ++i) {
      if (!on_.node(i).is_up() && (on_.node(i).head_num() >= head || chance(0.3))) on_.node(i).start();
      stands &= on_.node(i).head_num() == head || !on_.node(i).is_up();
    }
    if (!stands) return;
    reenter_all(head + 1);
  }

  /// One wave: all say the same round, which is beyond that of any wave before at this block, as a key may
  /// have gone along with others.
  void reenter_all(std::uint64_t block_num) {
    auto& round = waves_[block_num];
    bool any = false;
    for (std::size_t i = 0; i < count_; ++i) {
      if (!on_.node(i).is_up() || !on_.node(i).status().silent || on_.node(i).status().reentering) continue;
      if (on_.node(i).head_num() + 1 != block_num) continue; // the others have gone on meanwhile
      on_.node(i).crash();
      if (on_.node(i).head_num() + 1 == block_num) {
        if (!std::exchange(any, true)) round += reentry_stride;
        on_.expect(on_.node(i).reenter(block_num, round).has_value(), "the operator's word is taken");
      }
      on_.node(i).start();
      if (round < 3 * reentry_stride && chance(0.1)) lose_record(on_, i); // once more, at the same block
      if (chance(0.5)) on_.run(on_.net().between(0, second));
    }
  }

  stage& on_;
  std::size_t count_;
  int tries_ = 0;
  std::map<std::uint64_t, std::uint64_t> waves_; ///< the last round of re-entry, by block
};

void lost_records(stage& on) {
  losses(on).play();
}

} // namespace

std::span<const scenario> reentry_scenarios() {
  static const std::vector<scenario> all{
      {.name = "re-entry",
       .source = "validators that lost their records, so many that no quorum is left",
       .checks =
           "by their operators' word they vote again, contradict nothing that they have signed, and the "
           "chain goes on",
       .plan = plan_of(4),
       .play = reentry,
       .mistake = "they vote on in round 0, as if they had signed nothing",
       .fails_with = "3 one digest"},
      {.name = "re-entry-locked",
       .source = "validators that lost their records, and with them what they were prepared on",
       .checks = "the certificate of one that has its record binds those that re-enter",
       .plan = plan_of(4),
       .play = reentry_locked,
       .mistake = "who re-enters has no ear for certificates of others",
       .fails_with = "expected: the block",
       .plant = [](auto& options) { options.planted.reenters_deaf = true; }},
      {.name = "re-entry-unchecked",
       .source = "operators that did not compare all heads",
       .checks = "whoever listens and gets the block keeps silent, and the next re-entry is after it",
       .plan = plan_of(4),
       .play = reentry_unchecked,
       .mistake = "the SN that has the block is not there while they listen",
       .fails_with = "1 agreement"},
      {.name = "re-entry-alone",
       .source = "found when this was designed: one validator in a far round pulls nobody along",
       .checks = "those that have no quorum without it go to it",
       .plan = plan_of(4),
       .play = reentry_alone},
      {.name = "lost-records",
       .source = "records are lost at any moment, by f + 1 validators up to all",
       .checks = "as long as operators compare the heads, no fork, and the chain always goes on",
       .plan = plan_of(4),
       .play = lost_records,
       .variants = 30},
      {.name = "lost-records-of-seven",
       .source = "the same with f = 2",
       .checks = "as long as operators compare the heads, no fork, and the chain always goes on",
       .plan = plan_of(7),
       .play = lost_records,
       .variants = 16},
  };
  return all;
}

} // namespace swarm::simulator
