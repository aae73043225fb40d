#include "contracts/training/rounds.hpp"

#include "base/hash_tree.hpp"
#include "base/testing/wording.hpp"
#include "contracts/testing/played_rounds.hpp"
#include "contracts/training/measures.hpp"
#include "contracts/training/sharding.hpp"

namespace rounds_test {

using namespace swarm;
using namespace swarm::contracts;
using swarm::testing::wording;

namespace {

const auto training = default_training();

} // namespace

TEST_CASE("what as many models as may be measured cost stays far below the gas of a call") {
  constexpr auto count = static_cast<std::uint16_t>(measured_models_max);
  memory_world world(make_contracts());
  const auto must = [&](std::uint16_t number, const bytes& input) {
    auto done = world.send(test_account(number), training, input);
    REQUIRE_MESSAGE(done.ok, revert_text(done.output));
    return done;
  };
  for (std::uint16_t i = 0; i < count; ++i) {
    REQUIRE(register_node(world, test_account(i), node_type::sl).ok);
    must(i, encode_register_peer({count, "geomedian", 1}));
  }
  const auto size =
      (units_per_shard_min * count * 2 - 1) * model_chunk_bytes; // the most units that a maker can have
  for (std::uint16_t i = 0; i < count; ++i)
    must(i, check_in_input(1, i, false, size));
  for (std::uint16_t i = 0; i < count; ++i)
    must(i, reveal_input(1, i));
  const training_probe probe(world, training);
  REQUIRE(probe.measures().sums == count * (count - 1) / 2);
  const auto plan = plan_of(size, count);
  const auto slots = world.slot_count();
  memory_world::outcome done;
  std::uint64_t most = 0;
  for (std::uint16_t i = 0; i < count; ++i) {
    std::vector<hash32> sums;
    for (std::uint64_t unit = 0; unit < plan.units_of(i).count; ++unit)
      for (const auto& word : pack_sums(std::vector<double>(probe.measures().sums, 0.1)))
        sums.push_back(word);
    done = must(i, encode(measure_shard_args{1, 1, 0, i, sums}));
    if (i + 1 < count) most = std::max(most, done.gas);
  }
  CHECK_FALSE(probe.measures().open);
  MESSAGE("16 models in " << plan.units() << " units: a measurement takes " << most << " gas, the last "
                          << done.gas << "; " << world.slot_count() - slots << " slots");
  CHECK(most < call_gas / 4);
  CHECK(done.gas < call_gas / 2);
}

TEST_CASE(
    "what a check-in costs does not depend on the number of peers, a close and a commit cost one load each") {
  auto small = world_of(4);
  auto large = world_of(peers_max);
  play_round(small, 4, 1);
  play_round(large, peers_max, 1);
  const auto few = play_round(small, 4, 2);
  const auto many = play_round(large, peers_max, 2);
  CHECK(many.middle.gas == few.middle.gas);
  CHECK(few.middle.loads <= 7);
  CHECK(few.middle.stores <= 4);
  CHECK(many.last.loads <= peers_max + 10);
  CHECK(many.last.stores <= 6);
  CHECK(many.reveal.gas == few.reveal.gas);
  CHECK(few.reveal.stores <= 7);
  CHECK(many.last_reveal.loads <= 2 * peers_max + 20);
  CHECK(many.commit.loads <= 3 * peers_max + 20);
  CHECK(many.commit.stores <= 30);
  // A seed and an attestation touch a fixed number of slots; dealing out, and accepting, some of each peer.
  CHECK(many.seed.loads == few.seed.loads);
  CHECK(many.attest.loads == few.attest.loads);
  CHECK(few.seed.stores <= 6);
  CHECK(few.attest.stores <= 4);
  CHECK(many.last_seed.loads <= 7 * peers_max + 40);
  CHECK(many.last_seed.stores <= 30);
  CHECK(many.last_attest.loads <= 2 * peers_max + 20);
  for (const auto* one : {&many.commit, &many.last_seed, &many.last_attest})
    CHECK(one->gas < call_gas / 2);
  MESSAGE("check-in " << few.middle.loads << " loads, " << few.middle.stores << " stores, " << few.middle.gas
                      << " gas; reveal " << few.reveal.loads << " loads, " << few.reveal.stores << " stores, "
                      << few.reveal.gas << " gas; with 1024 peers close " << many.last.gas << ", last reveal "
                      << many.last_reveal.gas << ", commit " << many.commit.gas << "; seed " << few.seed.gas
                      << ", with 1024 peers the last " << many.last_seed.gas << "; attestation "
                      << few.attest.gas << ", the last " << many.last_attest.gas);

  const training_probe probe(large, training);
  CHECK(probe.peers().size() == peers_max);
  CHECK(probe.merge_of(2).contributors.size() == peers_max);
  CHECK(probe.broken_invariant() == "");
  REQUIRE(register_node(large, test_account(peers_max), node_type::sl).ok);
  const auto full =
      large.send(test_account(peers_max), training, encode_register_peer({peers_max, "mean", 1}));
  CHECK(wording(revert_text(full.output)) == "the training is full: it has 1024 peers");
  const auto refused = large.send(test_account(peers_max), training,
                                  encode_report_refusal({1, leave_reason::other_min_peers}));
  CHECK(wording(revert_text(refused.output)) == "the training is full: it has 1024 peers");
}

TEST_CASE("those who withhold their models are taken out in calls that a transaction can pay for") {
  for (const bool goes_on : {true, false}) {
    CAPTURE(goes_on);
    auto world = world_of(peers_max, goes_on ? 1 : peers_max);
    const auto send = [&](std::uint16_t number, const bytes& input) {
      return world.send(test_account(number), training, input, call_gas);
    };
    for (std::uint16_t i = 0; i < peers_max; ++i)
      REQUIRE(send(i, check_in_input(1, i)).ok);
    const training_probe probe(world, training);
    REQUIRE(probe.head().phase == round_phase::revealing);
    constexpr std::uint16_t honest = peers_max - 1;
    REQUIRE(send(honest, reveal_input(1, honest)).ok);
    world.skip_seconds(reveal_seconds);
    std::uint64_t gas_max = 0;
    std::size_t taken_out = 0;
    unsigned calls = 0;
    for (; probe.head().phase == round_phase::revealing; ++calls) {
      const auto done = send(honest, encode(close_reveals_args{1, 1}));
      REQUIRE(done.ok);
      taken_out += done.events.size();
      gas_max = std::max(gas_max, done.gas);
      CHECK(probe.broken_invariant() == "");
    }
    CHECK(calls == 8);
    CHECK(taken_out == peers_max); // and one event of the round
    CHECK(gas_max < call_gas);
    MESSAGE("close of 1023 withheld models: " << gas_max << " gas at most");
    const auto head = probe.head();
    CHECK(head.phase == (goes_on ? round_phase::merging : round_phase::collecting));
    CHECK(head.checked_in == 1);
    CHECK(head.waited_for == (goes_on ? 1 : peers_max));
  }
}

TEST_CASE("however often a node reports refusals it has one entry, and nobody is kept out or waited for") {
  auto world = world_of(3);
  REQUIRE(register_node(world, test_account(3), node_type::sl).ok);
  const training_probe probe(world, training);
  const auto say = [&](leave_reason reason) {
    return world.send(test_account(3), training, encode_report_refusal({1, reason}));
  };
  REQUIRE(say(leave_reason::other_min_peers).ok);
  const auto slots = world.slot_count();
  const auto head = probe.head();
  for (int i = 0; i < 2000; ++i) {
    CHECK(say(i % 2 == 0 ? leave_reason::other_merge_method : leave_reason::other_min_peers).ok);
    CHECK(!say(i % 2 == 0 ? leave_reason::other_merge_method : leave_reason::other_min_peers).ok);
  }
  CHECK(world.slot_count() == slots);
  CHECK(probe.peers().size() == 4);
  CHECK(probe.head() == head);
  play_round(world, 3, 1);
  CHECK(probe.head().merged_round == 1);
  CHECK(probe.merge_of(1).contributors.size() == 3);
}

namespace {

/// The shard of the maker at `place`, which is test account `place`.
bytes shard_input(const shard_plan& plan, std::uint32_t place) {
  std::vector<hash32> roots;
  const auto own = plan.units_of(place);
  for (auto unit = own.first; unit < own.end(); ++unit)
    roots.push_back(some_digest(unit));
  return encode(commit_shard_args{1, 1, 0, place, roots});
}

} // namespace

TEST_CASE("shards are opened, made, put together and dealt out in calls that a transaction can pay for") {
  auto world = world_of(peers_max);
  constexpr std::uint64_t size = (2 * units_per_shard_min * peers_max - 1) * model_chunk_bytes;
  const auto plan = plan_of(size, peers_max); // no shard can have more units
  for (std::uint16_t i = 0; i < peers_max; ++i)
    REQUIRE(world.send(test_account(i), training, check_in_input(1, i, false, size)).ok);
  memory_world::outcome opened;
  for (std::uint16_t i = 0; i < peers_max; ++i) {
    opened = world.send(test_account(i), training, reveal_input(1, i));
    REQUIRE(opened.ok);
  }
  const training_probe probe(world, training);
  REQUIRE(probe.shards().shards.size() == peers_max);
  std::uint64_t made = 0, stores = 0;
  memory_world::outcome last;
  for (std::uint32_t place = 0; place < peers_max; ++place) {
    last = world.send(test_account(static_cast<std::uint16_t>(place)), training, shard_input(plan, place));
    REQUIRE(last.ok);
    if (place + 1 == peers_max) continue;
    made = std::max(made, last.gas);
    stores = std::max(stores, last.stores);
  }
  CHECK(stores
        <= 2 * units_per_shard_min + 14); // a node of each level at most, and what says that it is made
  REQUIRE(probe.proposal().shards == peers_max);
  const auto digests = [&] {
    std::vector<hash32> out;
    for (std::uint64_t unit = 0; unit < plan.units(); ++unit)
      out.push_back(some_digest(unit));
    return out;
  };
  CHECK(probe.proposal().digest == model_digest(size, model_chunk_bytes, tree_root(digests())));
  memory_world::outcome dealt;
  for (std::uint16_t i = 0; i < peers_max; ++i) {
    dealt = world.send(test_account(i), training, seed_input(probe.head(), i));
    REQUIRE(dealt.ok);
  }
  REQUIRE(probe.checks().attempt == 1);
  CHECK(probe.checks().awaited.size() == peers_max);
  const auto challenged =
      world.send(test_account(1), training, encode(challenge_args{1, 1, 0, 1, challenge_kind::chunk, 3000}));
  REQUIRE(challenged.ok);
  for (const memory_world::outcome* one :
       std::initializer_list<const memory_world::outcome*>{&opened, &last, &dealt, &challenged})
    CHECK(one->gas < call_gas / 2);
  CHECK(made < call_gas / 20);
  MESSAGE("with 1024 makers shards are opened for "
          << opened.gas << " gas, one is made for " << made << ", the last for " << last.gas
          << "; they are dealt out for " << dealt.gas << ", and challenged for " << challenged.gas);
}

TEST_CASE("a challenge is opened and judged for what a deal costs, whoever votes") {
  auto world = world_of(peers_max);
  for (std::uint16_t i = 0; i < peers_max; ++i)
    REQUIRE(world.send(test_account(i), training, check_in_input(1, i)).ok);
  for (std::uint16_t i = 0; i < peers_max; ++i)
    REQUIRE(world.send(test_account(i), training, reveal_input(1, i)).ok);
  const training_probe probe(world, training);
  REQUIRE(world.send(probe.head().leader, training, commit_input(world)).ok);
  for (std::uint16_t i = 1; i < peers_max; ++i)
    REQUIRE(world.send(test_account(i), training, seed_input(probe.head(), i)).ok);
  REQUIRE(probe.checks().attempt == 1);
  const auto opened =
      world.send(test_account(1), training, encode(challenge_args{1, 1, 0, 1, challenge_kind::chunk, 3}));
  REQUIRE(opened.ok);
  CHECK(opened.loads <= 9 * peers_max);
  CHECK(opened.gas < call_gas / 2);
  for (std::uint16_t i = 2; i < 5; ++i) {
    const auto vote = world.send(test_account(i), training, encode(judge_args{1, 1, 0, 1, true}));
    REQUIRE(vote.ok);
    CHECK(vote.loads <= 2 * peers_max + 40);
    CHECK(vote.gas < call_gas / 2);
  }
  world.skip_seconds(probe.checks().until);
  const auto over = world.send(test_account(9), training, encode(close_checks_args{1, 1, 0, 1}));
  REQUIRE(over.ok);
  CHECK(over.gas < call_gas / 2);
  CHECK(probe.checks().attempt == 2);
  MESSAGE("challenge " << opened.gas << " gas, end of the dispute " << over.gas);
}

TEST_CASE("a leader is suspected, and replaced, in calls that a transaction can pay for") {
  auto world = world_of(peers_max);
  for (std::uint16_t i = 0; i < peers_max; ++i)
    REQUIRE(world.send(test_account(i), training, check_in_input(1, i)).ok);
  for (std::uint16_t i = 0; i < peers_max; ++i)
    REQUIRE(world.send(test_account(i), training, reveal_input(1, i)).ok);
  const training_probe probe(world, training);
  std::uint64_t gas_max = 0;
  std::uint16_t calls = 0;
  while (probe.head().term == 0) {
    const auto done = world.send(test_account(++calls), training, encode(suspect_leader_args{1, 1, 0}));
    REQUIRE(done.ok);
    CHECK(done.loads <= 7 * peers_max);
    gas_max = std::max(gas_max, done.gas);
  }
  CHECK(calls == peers_max / 2);
  CHECK(gas_max < call_gas / 2);
  MESSAGE("a suspicion of one of 1024 costs " << gas_max << " gas at most");
}

TEST_CASE("those who withhold their seeds are barred in calls that a transaction can pay for") {
  auto world = world_of(peers_max);
  for (std::uint16_t i = 0; i < peers_max; ++i)
    REQUIRE(world.send(test_account(i), training, check_in_input(1, i)).ok);
  for (std::uint16_t i = 0; i < peers_max; ++i)
    REQUIRE(world.send(test_account(i), training, reveal_input(1, i)).ok);
  const training_probe probe(world, training);
  REQUIRE(world.send(probe.head().leader, training, commit_input(world)).ok);
  REQUIRE(world.send(test_account(7), training, seed_input(probe.head(), 7)).ok);
  world.skip_seconds(seed_seconds);
  std::uint64_t gas_max = 0;
  unsigned calls = 0;
  for (; probe.checks().attempt == 0; ++calls) {
    const auto done = world.send(test_account(7), training, encode(close_checks_args{1, 1, 0, 0}));
    REQUIRE(done.ok);
    gas_max = std::max(gas_max, done.gas);
    CHECK(probe.broken_invariant() == "");
  }
  CHECK(calls == 8);
  CHECK(gas_max < call_gas);
  CHECK(probe.checks().awaited == std::vector<address>{test_account(7)});
  MESSAGE("end of 1022 withheld seeds: " << gas_max << " gas at most");
}

TEST_CASE("when the seeds of a round are used up it is collected anew, without check-ins") {
  auto world = world_of(2);
  const training_probe probe(world, training);
  for (std::uint16_t i = 0; i < 2; ++i)
    REQUIRE(world.send(test_account(i), training, check_in_input(1, i)).ok);
  for (std::uint16_t i = 0; i < 2; ++i)
    REQUIRE(world.send(test_account(i), training, reveal_input(1, i)).ok);
  unsigned proposals = 0;
  while (probe.head().phase == round_phase::merging) {
    const auto leader = probe.head().leader;
    REQUIRE(world.send(leader, training, commit_input(world)).ok);
    ++proposals;
    REQUIRE(world.send(leader, training, encode_leave_peer({})).ok);
    REQUIRE(world.send(leader, training, encode_register_peer({2, "mean", 1})).ok);
  }
  CHECK(proposals == seed_links);
  CHECK(probe.head().phase == round_phase::collecting);
  CHECK(probe.check_ins().empty());
  CHECK(probe.head().waited_for == 2);
  CHECK(probe.broken_invariant() == "");
  play_round(world, 2, 1);
  CHECK(probe.head().merged_round == 1);
}

TEST_CASE("leaders take turns") {
  constexpr std::uint16_t count = 5;
  constexpr std::uint64_t round_count = 40;
  auto world = world_of(count);
  std::map<address, int> led;
  for (std::uint64_t round_num = 1; round_num <= round_count; ++round_num) {
    play_round(world, count, round_num);
    ++led[training_probe(world, training).head().merged_by];
  }
  REQUIRE(led.size() == count);
  for (const auto& [leader, times] : led) {
    INFO(to_hex(leader.view()));
    CHECK(times == round_count / count);
  }
}

} // namespace rounds_test
