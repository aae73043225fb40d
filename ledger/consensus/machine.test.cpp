#include "ledger/consensus/qbft_machine.hpp"
#include "ledger/consensus/testing/fixture.hpp"

namespace machine_test {

using namespace swarm;
using namespace swarm::consensus;
using namespace swarm::consensus::testing;

namespace {

template <class Action>
bool has(const std::vector<action>& in) {
  return !all_of<Action>(in).empty();
}

/// Whether the proof convicts whom it accuses, of this kind of vote.
bool proves(const scene& at, const evidence& what, message_code kind) {
  const auto read = ledger::decode_double_vote(ledger::encode_double_vote(what.proof));
  if (!read || read->kind != kind || read->block_num != at.block_num()) return false;
  const auto author = check_double_vote(*read, at.domain.chain_id, at.domain.genesis_hash, fake_recover);
  return author && *author == what.author;
}

} // namespace

// The ordinary course

TEST_CASE("a lone validator decides within one answer, without a write or a message of its own") {
  scene at(1);
  test_node node(at, 0);
  const auto out = node.feed(work_available{});
  REQUIRE(node.decided.size() == 1);
  CHECK(!has<persist>(out));
  CHECK(!has<broadcast>(out));
  CHECK(!has<set_timer>(out));
  CHECK(all_of<build_block>(out).front().encoded == false);
  const auto& decided = node.decided.front();
  CHECK(decided.seals.round_num == 0);
  const auto digest = ledger::seal_digest(at.domain.chain_id, at.domain.genesis_hash, decided.block.hash, 0);
  REQUIRE(decided.seals.seals.size() == 1);
  CHECK(fake_recover(digest, decided.seals.seals[0].signature).value() == at.validators[0]);
  REQUIRE(decided.entries.size() == 1);
  CHECK(decode_place(decided.entries[0].value)->block_num == at.block_num() + 1);
  // The next height needs new work.
  node.feed(head_changed{{8, decided.block.hash, at.validators[0]}, at.validators});
  CHECK(node.machine->status().block_num == 9);
  CHECK(!node.machine->status().active);
}

TEST_CASE("four validators: proposal, prepares, commits, decision") {
  scene at(4);
  test_node node(at, 1);
  const auto on = at.block(0);
  auto out = node.hear(at.proposal(0, 0, on));
  CHECK(has<validate_block>(out));
  CHECK(node.said_count(message_code::prepare) == 1);
  node.hear(at.prepare(0, 0, on.hash));
  CHECK(node.said_count(message_code::commit) == 0);
  node.hear(at.prepare(2, 0, on.hash));
  CHECK(node.said_count(message_code::commit) == 1);
  node.hear(at.commit(2, 0, on.hash));
  CHECK(node.decided.empty());
  out = node.hear(at.commit(3, 0, on.hash));
  REQUIRE(node.decided.size() == 1);
  CHECK(node.decided[0].block.hash == on.hash);
  const ledger::seal_record& seals = node.decided[0].seals;
  CHECK(seals.seals.size() == 3);
  CHECK(all_of<cancel_timer>(out).size() == 2);
}

TEST_CASE("the proposer sends its proposal and its prepare together, after one write") {
  scene at(4);
  test_node node(at, 0);
  node.disk_works = false;
  const auto out = node.feed(work_available{});
  CHECK(all_of<persist>(out).size() == 1);
  CHECK(node.said.empty());
  const auto sent = node.feed(persisted{node.unwritten});
  CHECK(all_of<broadcast>(sent).size() == 2);
  CHECK(node.said_count(message_code::proposal) == 1);
  CHECK(node.said_count(message_code::prepare) == 1);
}

TEST_CASE("everything is on disk before it is said, the certificate with the commit") {
  scene at(4);
  test_node node(at, 1);
  node.disk_works = false;
  const auto on = at.block(0);
  node.hear(at.proposal(0, 0, on));
  CHECK(node.said.empty());
  const auto prepare_token = node.unwritten;
  node.hear(at.prepare(0, 0, on.hash));
  auto out = node.hear(at.prepare(2, 0, on.hash));
  const auto writes = all_of<persist>(out);
  REQUIRE(writes.size() == 1);
  std::vector<std::string_view> keys;
  for (const auto& entry : writes[0].entries)
    keys.push_back(entry.key);
  CHECK(keys == std::vector<std::string_view>{record_key::certificate, record_key::commit});
  CHECK(node.said.empty());
  node.feed(persisted{prepare_token});
  CHECK(node.said.size() == 1);
  node.timer(timer_kind::resend); // what is not on disk is not repeated either
  CHECK(node.said_count(message_code::commit) == 0);
  node.feed(persisted{writes[0].token});
  CHECK(node.said_count(message_code::commit) == 1);
}

TEST_CASE("an idle chain is silent, and a vain call for work returns to silence") {
  scene at(4);
  test_node node(at, 0);
  CHECK(!node.machine->status().active);
  node.has_work = false;
  auto out = node.feed(work_available{});
  CHECK(has<cancel_timer>(out));
  CHECK(!node.machine->status().active);
  CHECK(node.said.empty());
  CHECK(node.timer().empty());
  node.has_work = true;
  node.feed(work_available{});
  CHECK(node.said_count(message_code::proposal) == 1);
}

TEST_CASE("a validator without work starts its timer with the proposal, one with work at once") {
  scene at(4);
  test_node idle(at, 1);
  const auto out = idle.hear(at.proposal(0, 0, at.block(0)));
  CHECK(all_of<set_timer>(out).size() == 2);
  test_node busy(at, 1);
  CHECK(all_of<set_timer>(busy.feed(work_available{})).size() == 2);
  busy.timer(); // the proposer keeps silent
  CHECK(busy.machine->status().round_num == 1);
  CHECK(busy.said_count(message_code::round_change) == 1);
}

// Messages out of turn

TEST_CASE("votes before the proposal and a height too early are kept") {
  scene at(4);
  test_node node(at, 1);
  const auto on = at.block(0);
  node.hear(at.commit(2, 0, on.hash), 2);
  node.hear(at.commit(3, 0, on.hash), 3);
  node.hear(at.commit(0, 0, on.hash), 4);
  CHECK(node.decided.empty());
  CHECK(node.machine->status().parked_messages == 3);
  node.hear(at.proposal(0, 0, on));
  CHECK(node.decided.size() == 1);

  test_node early(at, 1);
  scene next(4, 9);
  next.head = {8, on.hash, at.validators[0]};
  const auto following = make_block(next.head, at.validators[1]);
  CHECK(all_of<request_sync>(early.hear(next.proposal(1, 0, following))).size() == 1);
  CHECK(!has<request_sync>(early.hear(next.prepare(2, 0, following.hash))));
  CHECK(early.machine->status().parked_messages == 2);
  early.feed(head_changed{next.head, at.validators});
  CHECK(early.machine->status().prepares >= 1);
}

TEST_CASE("commits of an earlier round still decide; prepares of an earlier round are past") {
  scene at(4);
  test_node node(at, 1);
  const auto on = at.block(0);
  node.hear(at.proposal(0, 0, on));
  node.timer();
  CHECK(node.machine->status().round_num == 1);
  node.hear(at.prepare(0, 0, on.hash));
  node.hear(at.prepare(2, 0, on.hash));
  CHECK(node.said_count(message_code::commit) == 0); // never signs below its round
  for (const std::size_t who : {0, 2, 3})
    node.hear(at.commit(who, 0, on.hash));
  REQUIRE(node.decided.size() == 1);
  CHECK(node.decided[0].seals.round_num == 0);
}

TEST_CASE("a laggard that asks for a round change is sent the decided block, a bounded number of times") {
  scene at(4);
  test_node node(at, 1);
  scene past(4, 7);
  CHECK(!has<send_decided>(node.hear(past.commit(2, 0, filled(1)), 5))); // late votes are ordinary
  for (int i = 0; i < 20; ++i) {
    const auto out = all_of<send_decided>(node.hear(past.round_change(2, 1), 5));
    if (i < 4) CHECK(out.front().block_num == 7);
    if (i >= 4) CHECK(out.empty());
  }
  scene older(4, 5);
  CHECK(has<send_decided>(node.hear(older.prepare(2, 0, filled(1)), 6)));
}

TEST_CASE("deciding is one step: timers and votes that were under way change nothing") {
  scene at(4);
  test_node node(at, 1);
  const auto on = at.block(0);
  node.hear(at.proposal(0, 0, on));
  for (const std::size_t who : {0, 2, 3})
    node.hear(at.commit(who, 0, on.hash));
  REQUIRE(node.decided.size() == 1);
  const auto said = node.said.size();
  CHECK(node.timer().empty());
  CHECK(node.timer(timer_kind::resend).empty());
  CHECK(node.feed(work_available{}).empty());
  for (const std::size_t who : {0, 2, 3})
    CHECK(node.hear(at.round_change(who, 1)).empty());
  CHECK(node.hear(at.commit(0, 0, on.hash)).empty());
  CHECK(node.said.size() == said);
  CHECK(node.decided.size() == 1);
}

TEST_CASE("votes that come when their block is decided are counted, and nothing else is") {
  scene at(4);
  test_node node(at, 1);
  const auto on = at.block(0);
  node.hear(at.proposal(0, 0, on));
  for (const std::size_t who : {0, 2})
    node.hear(at.prepare(who, 0, on.hash));
  for (const std::size_t who : {0, 2})
    node.hear(at.commit(who, 0, on.hash));
  REQUIRE(node.decided.size() == 1);
  CHECK(node.machine->status().late_votes == 0);
  node.hear(at.prepare(3, 0, on.hash));
  CHECK(node.machine->status().late_votes == 1);
  node.feed(head_changed{{at.block_num(), on.hash, at.validators[0], {}}, at.validators});
  node.hear(at.commit(3, 0, on.hash));
  CHECK(node.machine->status().late_votes == 2);
  node.hear(at.round_change(3, 1)); // it asks for the block, which is no vote on it
  CHECK(node.machine->status().late_votes == 2);
}

// What liars send

TEST_CASE("authors are counted, not signatures") {
  scene at(4);
  test_node node(at, 1);
  const auto on = at.block(0);
  node.hear(at.proposal(0, 0, on));
  for (std::uint8_t variant = 0; variant < 5; ++variant)
    node.hear(at.prepare(3, 0, on.hash, variant));
  CHECK(node.said_count(message_code::commit) == 0);
  for (std::uint8_t variant = 0; variant < 5; ++variant)
    node.hear(at.commit(3, 0, on.hash, variant));
  CHECK(node.decided.empty());
}

TEST_CASE("a seal counts only over this block and round, and only of a validator") {
  scene at(4);
  test_node node(at, 1);
  const auto on = at.block(0);
  node.hear(at.proposal(0, 0, on));
  auto wrong_round = at.commit(2, 1, on.hash);
  wrong_round.round_num = 0;
  CHECK(has<penalize>(node.hear(wrong_round)));
  auto zero = at.commit(2, 0, on.hash);
  zero.seal = {};
  CHECK(has<penalize>(node.hear(zero)));
  CHECK(has<penalize>(node.hear(scene(7).commit(6, 0, on.hash))));
  auto other_chain = at;
  other_chain.domain.chain_id = 5;
  CHECK(has<penalize>(node.hear(other_chain.commit(2, 0, on.hash))));
  node.hear(at.commit(2, 0, filled(5)));
  CHECK(node.machine->status().commits == 0);
}

TEST_CASE("two proposals for one round are evidence, once") {
  scene at(4);
  test_node node(at, 1);
  node.hear(at.proposal(0, 0, at.block(0, 1)));
  CHECK(!has<evidence>(node.hear(at.proposal(0, 0, at.block(0, 1)))));
  const auto found = all_of<evidence>(node.hear(at.proposal(0, 0, at.block(0, 2))));
  REQUIRE(found.size() == 1);
  CHECK(found[0].author == at.validators[0]);
  CHECK(proves(at, found[0], message_code::proposal));
  CHECK(!has<evidence>(node.hear(at.proposal(0, 0, at.block(0, 3)))));
  CHECK(node.said_count(message_code::prepare) == 1);
}

TEST_CASE(
    "two prepares, commits or round changes of one validator for one round are evidence, in any order") {
  scene at(4);
  const auto on = at.block(0, 1), other = at.block(0, 2);
  const auto heard = [&](auto... messages) {
    test_node node(at, 1);
    std::vector<evidence> out;
    for (auto& found : {all_of<evidence>(node.hear(messages))...})
      out.insert(out.end(), found.begin(), found.end());
    return out;
  };
  const auto proposal = at.proposal(0, 0, on), rival = at.proposal(0, 0, other);
  const auto prepare = at.prepare(2, 0, on.hash), stray = at.prepare(2, 0, other.hash);
  const auto convicts = [&](const std::vector<evidence>& found, std::size_t who, message_code kind) {
    return std::ranges::any_of(found, [&](const evidence& one) {
      return one.author == at.validators[who] && proves(at, one, kind);
    });
  };
  CHECK(convicts(heard(proposal, prepare, stray), 2, message_code::prepare));
  CHECK(convicts(heard(proposal, stray, prepare), 2, message_code::prepare));
  CHECK(convicts(heard(stray, prepare, proposal), 2, message_code::prepare));
  CHECK(convicts(heard(proposal, stray, at.prepare(2, 0, filled(9))), 2, message_code::prepare));
  // Seals name no height: both blocks must be known.
  const auto seal = at.commit(2, 0, on.hash), stray_seal = at.commit(2, 0, other.hash);
  CHECK(convicts(heard(proposal, seal, stray_seal, rival), 2, message_code::commit));
  CHECK(convicts(heard(proposal, rival, seal, stray_seal), 2, message_code::commit));
  CHECK(convicts(heard(proposal, rival, stray_seal, seal), 2, message_code::commit));
  CHECK(heard(proposal, seal, stray_seal).empty());
  // A round change says what its author was prepared on.
  const auto unprepared = at.round_change(3, 1), claims = at.round_change(3, 1, at.proof(0, on, {0, 2, 3}));
  CHECK(convicts(heard(unprepared, claims), 3, message_code::round_change));
  CHECK(convicts(heard(claims, unprepared), 3, message_code::round_change));
}

TEST_CASE("repetitions, other signatures over the same, and votes of other rounds are no evidence") {
  scene at(4);
  test_node node(at, 1);
  const auto on = at.block(0);
  const auto none = [&](const auto& item) { return !has<evidence>(node.hear(item)); };
  CHECK(none(at.proposal(0, 0, on)));
  CHECK(none(at.prepare(2, 0, on.hash)));
  CHECK(none(at.prepare(2, 0, on.hash, 1)));
  CHECK(none(at.commit(2, 0, on.hash)));
  CHECK(none(at.commit(2, 0, on.hash, 1)));
  CHECK(none(at.round_change(2, 1)));
  CHECK(none(at.round_change(2, 1)));
  CHECK(none(at.round_change(2, 2, at.proof(0, on, {0, 2, 3}))));
  CHECK(none(at.prepare(3, 1, filled(4))));
  CHECK(none(at.prepare(3, 0, on.hash)));
}

TEST_CASE("a liar's strays cost a bounded number of signatures") {
  scene at(4);
  std::size_t recoveries = 0;
  test_node node(at, 1);
  auto scheme = fake_scheme(at.validators[1]);
  scheme.recover = [&](const hash32& digest, const signature65& signature) {
    ++recoveries;
    return fake_recover(digest, signature);
  };
  node.machine.emplace(machine_options{.domain = at.domain}, scheme);
  node.feed(start{at.head, at.validators, node.disk});
  node.hear(at.proposal(0, 0, at.block(0)));
  const auto before = recoveries;
  for (std::uint8_t i = 0; i < 200; ++i)
    node.hear(at.prepare(2, 0, filled(i)));
  CHECK(recoveries - before <= 16);
}

TEST_CASE("a block that breaks a rule of the chain gets no vote, and no seals make it valid") {
  scene at(4);
  test_node node(at, 1);
  node.blocks_are_good = false;
  const auto on = at.block(0);
  CHECK(has<report>(node.hear(at.proposal(0, 0, on))));
  CHECK(node.said.empty());
  for (const std::size_t who : {0, 2, 3})
    node.hear(at.commit(who, 0, on.hash));
  CHECK(node.decided.empty());
}

TEST_CASE(
    "a block that is early by this node's clock gets no prepare, but a quorum's votes outweigh the clock") {
  scene at(4);
  test_node node(at, 1);
  node.blocks_are_early = true;
  const auto on = at.block(0);
  CHECK(has<report>(node.hear(at.proposal(0, 0, on))));
  CHECK(node.said_count(message_code::prepare) == 0);
  for (const std::size_t who : {0, 2, 3})
    node.hear(at.prepare(who, 0, on.hash));
  CHECK(node.said_count(message_code::prepare) == 0);
  CHECK(node.said_count(message_code::commit) == 1); // a quorum was prepared: honest clocks among them
  for (const std::size_t who : {0, 2})
    node.hear(at.commit(who, 0, on.hash));
  REQUIRE(node.decided.size() == 1);
  CHECK(node.decided[0].block.hash == on.hash);
}

TEST_CASE("a block that others were prepared on is voted for in a later round, early as it is") {
  scene at(4);
  test_node node(at, 2);
  node.blocks_are_early = true;
  const auto on = at.block(0);
  node.hear(at.proposal(0, 0, on));
  CHECK(node.said.empty());
  const auto proof = at.proof(0, on, {0, 1, 3});
  const std::vector<signed_round_change> votes{at.round_change(0, 1, proof).vote,
                                               at.round_change(1, 1, proof).vote, at.vote(3, 1)};
  node.hear(at.proposal(1, 1, on, votes, proof.prepares));
  CHECK(node.said_count(message_code::prepare) == 1);
  // A fresh one is judged anew, by what the clock says then.
  test_node other(at, 3);
  other.blocks_are_early = true;
  const auto fresh = at.block(1, 9);
  const std::vector<signed_round_change> unprepared{at.vote(0, 1), at.vote(1, 1), at.vote(2, 1)};
  other.hear(at.proposal(1, 1, fresh, unprepared));
  CHECK(other.said_count(message_code::prepare) == 0);
}

TEST_CASE("floods of junk, future heights and rounds take bounded memory") {
  scene at(4);
  machine_options options;
  options.parking = {.neighbor_messages_max = 16, .neighbor_bytes_max = 10'000, .total_bytes_max = 40'000};
  test_node node(at, 1, options);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    scene future(4, 9 + i % 40);
    node.hear(future.prepare(3, i, filled(1)), 3);
    node.hear(at.prepare(3, i, filled(1)), 3);
    node.hear(at.round_change(3, ledger::round_num_max - i), 3);
    node.feed(message{3, std::make_shared<const bytes>(bytes(i % 50, 0xc5))});
  }
  const auto now = node.machine->status();
  CHECK(now.parked_messages <= 16);
  CHECK(now.parked_bytes <= 10'000);
  CHECK(now.round_num == 0);
  CHECK(now.round_changes == 1);
  CHECK(node.said.empty());
}

TEST_CASE("huge rounds are refused, and the last round is not passed") {
  scene at(3);
  test_node node(at, 1);
  auto vote = at.vote(2, ledger::round_num_max + 1);
  CHECK(has<penalize>(node.hear(round_change_message{vote, {}, {}})));
  node.hear(at.round_change(2, ledger::round_num_max)); // f = 0: one other is enough
  CHECK(node.machine->status().round_num == ledger::round_num_max);
  const auto again = all_of<set_timer>(node.timer());
  REQUIRE(again.size() == 1);
  CHECK(again[0].after == std::chrono::seconds(64)); // doubles six times, no more
  CHECK(node.machine->status().round_num == ledger::round_num_max);
}

// Round changes

} // namespace machine_test
