#include "ledger/formats/seal.hpp"
#include "tests/simulator/network.hpp"
#include "tests/simulator/scenarios/stage.hpp"

/// Blocks that a newcomer fetches from a liar.
namespace swarm::simulator {

using namespace consensus;

namespace {

sealed_ptr with_seals(const proposed_block& block, std::uint64_t round_num,
                      const std::vector<signature65>& signatures) {
  ledger::seal_record record;
  record.round_num = round_num;
  for (const auto& one : signatures)
    record.seals.push_back({one});
  return std::make_shared<const sync::sealed_block>(
      sync::sealed_block{*block.raw, ledger::encode_seals(record)});
}

/// The last node only hears the liar, which is the node before it; the others have decided block 1.
struct lonely_newcomer {
  stage& on;
  std::size_t liar = on.net().node_count() - 2;
  std::size_t newcomer = on.net().node_count() - 1;

  proposed_block begin() {
    on.cut(newcomer);
    on.work(0);
    on.until_head({0}, 1);
    on.run(500 * millisecond);
    return on.proposal(0)->block;
  }
  /// Answers the newcomer's next question with `what`.
  void serve(sealed_ptr what) {
    on.take_question(newcomer, liar);
    on.send_head(liar, newcomer, on.node(newcomer).head_num() + 1);
    std::optional<std::uint64_t> asked;
    on.until("the newcomer asks", [&] { return (asked = on.take_question(newcomer, liar)).has_value(); });
    on.send_blocks(liar, newcomer, *asked, {std::move(what)});
    on.run(100 * millisecond);
  }
  /// Serves what must be refused.
  void serve_forged(sealed_ptr what) {
    const auto head = on.node(newcomer).head_num();
    const auto blamed = on.net().counts().blamed;
    serve(std::move(what));
    if (on.mistaken()) return;
    on.expect(on.node(newcomer).head_num() == head, "the newcomer takes no forged block");
    on.expect(on.net().counts().blamed == blamed + 1, "the newcomer names the liar");
  }
  std::vector<signature65> own_seals(const proposed_block& block, std::size_t count) {
    std::vector<signature65> out;
    for (std::size_t i = 0; i < count; ++i)
      out.push_back(on.pen(liar).commit(block.block_num, 0, block.hash, static_cast<std::uint8_t>(i)).seal);
    return out;
  }
};

void duplicate_seals(stage& on) {
  lonely_newcomer scene{on};
  scene.begin();
  const auto other = on.own_block(scene.liar);
  scene.serve_forged(with_seals(other, 0, scene.own_seals(other, 3)));
  on.all_well();
}

void too_few_seals(stage& on) {
  lonely_newcomer scene{on};
  scene.begin();
  const auto other = on.own_block(scene.liar);
  scene.serve_forged(with_seals(other, 0, {}));
  scene.serve_forged(with_seals(other, 0, scene.own_seals(other, 1)));
  on.all_well();
}

void zero_seals(stage& on) {
  lonely_newcomer scene{on};
  const auto block = scene.begin();
  scene.serve_forged(with_seals(on.own_block(scene.liar), 0, std::vector<signature65>(3)));
  scene.serve_forged(with_seals(block, 0, std::vector<signature65>(3)));
  on.all_well();
}

/// Seals that honest validators made, but over something else.
void seal_replay(stage& on) {
  lonely_newcomer scene{on};
  const auto block = scene.begin();
  const auto forged = on.own_block(scene.liar);
  std::vector<signature65> seals, of_other_chain, of_other_genesis;
  for (std::size_t i = 0; i < 3; ++i) {
    seals.push_back(on.commit_of(i, 0).seal);
    const auto& domain = on.net().domain();
    of_other_chain.push_back(on.node(i).scheme().sign(
        ledger::seal_digest(domain.chain_id + 1, domain.genesis_hash, forged.hash, 0)));
    of_other_genesis.push_back(
        on.node(i).scheme().sign(ledger::seal_digest(domain.chain_id, forged.hash, forged.hash, 0)));
  }
  scene.serve_forged(with_seals(block, 1, seals));           // of another round
  scene.serve_forged(with_seals(forged, 0, of_other_chain)); // the keys serve two chains
  scene.serve_forged(with_seals(forged, 0, of_other_genesis));
  std::vector<signature65> prepares;
  for (std::size_t i = 0; i < 3; ++i)
    prepares.push_back(on.prepare_of(i, 0).signature);
  scene.serve_forged(with_seals(block, 0, prepares)); // another kind of vote
  scene.serve(with_seals(block, 0, seals));
  on.until_head({scene.newcomer}, 1);
  scene.serve_forged(with_seals(forged, 0, seals)); // of a block that was verified: another parent, too
  // The liar's own next block, beside the seals of the one before.
  on.until("the liar has block 1", [&] {
    if (on.node(scene.liar).head_num() == 0)
      on.node(scene.liar).app().commit(block, {0, {{seals[0]}, {seals[1]}, {seals[2]}}}, {});
    return true;
  });
  const auto next = on.own_block(scene.liar);
  scene.serve_forged(with_seals(next, 0, seals));
  on.work(0);
  on.all_well();
}

/// The set grows, a proposer dies right at the boundary, the set shrinks to one; a node that was away since
/// before judges each block by the validators after its parent.
void validator_change(stage& on) {
  const std::size_t late = 3, joins = 4;
  on.cut(late);
  on.work(0);
  on.until_head({0, 1, 2, joins}, 1);
  const auto change = [&](std::size_t by, std::size_t node, bool join) {
    static std::uint64_t serial = 0;
    for (const auto id : on.node(by).app().change_works(++serial, node, join))
      on.node(by).offer(id);
    on.until("the set changes", [&] {
      const auto set = on.node(by).app().validators();
      return std::binary_search(set.begin(), set.end(), on.node(node).account()) == join;
    });
  };
  change(0, joins, true);
  const auto head = on.node(0).head_num();
  on.work(0);
  on.until_head({0, 1, 2, joins}, head + 1);
  on.join(late);
  on.work(0);
  on.until("the late node catches up", [&] { return on.node(late).head_num() == on.net().highest_head(); });

  // The next proposer dies, and the new validators change the round.
  const auto proposer = *on.net().node_of(on.node(0).status().proposer);
  on.node(proposer).crash();
  const auto by = proposer == 0 ? std::size_t{1} : std::size_t{0};
  const auto before = on.node(by).head_num();
  on.work(by);
  on.until_head({by}, before + 1);
  on.node(proposer).start();
  on.run(second);
  for (std::size_t leaver = 0; leaver < 4; ++leaver)
    change(joins, leaver, false);
  on.expect(on.node(joins).app().validators().size() == 1, "one validator is left");
  on.work(joins);
  on.run(second);
  change(joins, 0, true); // two: both are needed
  on.work(1);
  on.all_well();
}

} // namespace

std::span<const scenario> seal_scenarios() {
  static const std::vector<scenario> all{
      {.name = "duplicate-seals",
       .source = "pantheon PR 827: duplicate seals",
       .checks = "seals of one validator, however many, make no block final",
       .plan = plan_of(4, {3}, 1),
       .play = duplicate_seals,
       .mistake = "a fetched block's seals are counted, not their authors",
       .fails_with = "1 agreement",
       .plant = [](auto& options) { options.planted_shell.counts_seals = true; }},
      {.name = "too-few-seals",
       .source = "reference, section 2 (GoQuorum's header check needs f + 1), kaia PR 924: wrong quorum",
       .checks = "no seal, or f + 1, make no block final",
       .plan = plan_of(3, {2}, 1),
       .play = too_few_seals,
       .mistake = "f + 1 seals make a fetched block final",
       .fails_with = "1 agreement",
       .plant = [](auto& options) { options.planted_shell.takes_few_seals = true; }},
      {.name = "zero-seals",
       .source = "quorum PR 1118: seals of zeros",
       .checks = "seals of zeros are nobody's",
       .plan = plan_of(4, {3}, 1),
       .play = zero_seals},
      {.name = "seal-replay",
       .source = "kaia PR 924: signatures recognised without what they sign; reference, section 2: no domain",
       .checks = "seals of another block, round, chain or genesis, and other votes' signatures, are no seals",
       .plan = plan_of(4, {3}, 1),
       .play = seal_replay,
       .mistake = "who made a signature is remembered without what it signed",
       .fails_with = "1 agreement",
       .plant = [](auto& options) { options.planted_shell.recalls_signatures = true; }},
      {.name = "validator-change",
       .source = "reference, section 2: validators; section 3: a change at a round change",
       .checks = "blocks are judged by the set after their parent, across joins, leaves and a round change, "
                 "down to one validator and up to two",
       .plan = plan_of(4, {}, 1),
       .play = validator_change,
       .mistake = "fetched blocks are judged by the first set",
       .fails_with = "the scene did not come about: the late node catches up",
       .plant = [](auto& options) { options.planted_shell.keeps_first_set = true; }},
  };
  return all;
}

} // namespace swarm::simulator
