#include "ledger/consensus/qbft_machine.hpp"
#include "ledger/consensus/testing/fixture.hpp"

namespace machine_rounds_test {

using namespace swarm;
using namespace swarm::consensus;
using namespace swarm::consensus::testing;

namespace {

template <class Action>
bool has(const std::vector<action>& in) {
  return !all_of<Action>(in).empty();
}

} // namespace

TEST_CASE("f + 1 others beyond this round pull it along, to the lowest of theirs") {
  scene at(4);
  test_node node(at, 0);
  node.hear(at.round_change(1, 5));
  CHECK(node.machine->status().round_num == 0);
  node.hear(at.round_change(1, 6));
  CHECK(node.machine->status().round_num == 0); // the same author again
  node.hear(at.round_change(2, 3));
  CHECK(node.machine->status().round_num == 3);
  CHECK(node.said_count(message_code::round_change) == 1);
  CHECK(decode_round_change(*node.last_said(message_code::round_change))->vote.round_num == 3);
}

TEST_CASE("a lonely node waits in round 1 and repeats itself; a quorum goes on") {
  scene at(4);
  test_node node(at, 0);
  node.has_work = false;
  node.hear(at.proposal(0, 0, at.block(0)));
  for (int i = 0; i < 10; ++i)
    node.timer();
  CHECK(node.machine->status().round_num == 1);
  const auto said = node.said_count(message_code::round_change);
  node.timer(timer_kind::resend);
  CHECK(node.said_count(message_code::round_change) == said + 1);
  node.hear(at.round_change(2, 1));
  node.timer();
  CHECK(node.machine->status().round_num == 1);
  node.hear(at.round_change(3, 1));
  node.timer();
  CHECK(node.machine->status().round_num == 2);
}

TEST_CASE("the proposer of a later round proposes with a quorum of round changes, when there is work") {
  scene at(4);
  test_node node(at, 1);
  node.feed(work_available{});
  node.timer();
  node.hear(at.round_change(2, 1));
  CHECK(node.said_count(message_code::proposal) == 0);
  node.hear(at.round_change(3, 1));
  REQUIRE(node.said_count(message_code::proposal) == 1);
  auto sent = decode_proposal(*node.last_said(message_code::proposal)).value();
  CHECK(sent.round_num == 1);
  CHECK(sent.block.proposer == at.validators[1]);
  CHECK(is_valid_proposal(sent, at.view()));
}

TEST_CASE("what was prepared is proposed again, the same block in the same hash, by whom it was made") {
  scene at(4);
  test_node node(at, 1);
  const auto on = at.block(0, 7);
  node.feed(work_available{});
  node.hear(at.round_change(2, 1));
  node.hear(at.round_change(3, 1, at.proof(0, on, {0, 2, 3}))); // f + 1: it follows, and there is a quorum
  REQUIRE(node.said_count(message_code::proposal) == 1);
  auto sent = decode_proposal(*node.last_said(message_code::proposal)).value();
  CHECK(sent.block.hash == on.hash);
  CHECK(sent.block.proposer == at.validators[0]);
  CHECK(is_valid_proposal(sent, at.view()));
  for (const std::size_t who : {0, 2})
    node.hear(at.prepare(who, 1, on.hash));
  for (const std::size_t who : {0, 2})
    node.hear(at.commit(who, 1, on.hash));
  REQUIRE(node.decided.size() == 1);
  CHECK(node.decided[0].block.hash == on.hash);
  CHECK(node.decided[0].seals.round_num == 1);
}

TEST_CASE("a round jumped through a proposal, or through f + 1 others, keeps the certificate") {
  scene at(4);
  const auto on = at.block(0);
  const auto prepare_both = [&](test_node& node) {
    node.hear(at.proposal(0, 0, on));
    node.hear(at.prepare(0, 0, on.hash));
    node.hear(at.prepare(3, 0, on.hash));
    REQUIRE(node.said_count(message_code::commit) == 1);
  };
  const auto claimed = [](const test_node& node) {
    return decode_round_change(*node.last_said(message_code::round_change))->vote.prepared;
  };
  test_node by_votes(at, 2);
  prepare_both(by_votes);
  by_votes.hear(at.round_change(1, 1));
  by_votes.hear(at.round_change(3, 1));
  CHECK(by_votes.machine->status().round_num == 1);
  CHECK(claimed(by_votes) == prepared_claim{0, on.hash});

  test_node by_proposal(at, 2);
  prepare_both(by_proposal);
  const prepared_claim claim{0, on.hash};
  by_proposal.hear(at.proposal(1, 1, on, {at.vote(0, 1, claim), at.vote(1, 1), at.vote(3, 1)},
                               at.prepares({0, 2, 3}, 0, on.hash)));
  CHECK(by_proposal.machine->status().round_num == 1);
  CHECK(claimed(by_proposal) == claim);
  for (int i = 0; i < 3; ++i) {
    for (const std::size_t who : {0, 1, 3})
      by_proposal.hear(at.round_change(who, 2));
    by_proposal.timer();
  }
  CHECK(claimed(by_proposal) == claim);
}

TEST_CASE("a fresh block is refused while a certificate is among the round changes") {
  scene at(4);
  test_node node(at, 2);
  const auto on = at.block(0);
  const std::vector<signed_round_change> votes{at.vote(0, 1, prepared_claim{0, on.hash}), at.vote(1, 1),
                                               at.vote(3, 1)};
  CHECK(has<penalize>(node.hear(at.proposal(1, 1, at.block(1), votes))));
  CHECK(node.machine->status().round_num == 0);
  CHECK(has<penalize>(
      node.hear(at.proposal(1, 1, at.block(1), {at.vote(1, 1), at.vote(1, 1), at.vote(1, 1)}))));
}

// A second life

TEST_CASE("a restarted node says the same bytes, and nothing else, in the round it was in") {
  scene at(4);
  test_node node(at, 1);
  const auto on = at.block(0);
  node.hear(at.proposal(0, 0, on));
  node.hear(at.prepare(0, 0, on.hash));
  node.hear(at.prepare(2, 0, on.hash));
  const auto prepare = *node.last_said(message_code::prepare);
  const auto commit = *node.last_said(message_code::commit);
  node.begin();
  REQUIRE(node.said.size() == 2);
  CHECK(*node.last_said(message_code::prepare) == prepare);
  CHECK(*node.last_said(message_code::commit) == commit);
  CHECK(node.machine->status().prepared == prepared_claim{0, on.hash});
  // The block is known, so the commits of the others decide it.
  node.hear(at.commit(0, 0, on.hash));
  node.hear(at.commit(2, 0, on.hash));
  REQUIRE(node.decided.size() == 1);
  CHECK(node.decided[0].seals.seals.size() == 3);
}

TEST_CASE("a restarted node never votes for another block in the same round") {
  scene at(4);
  test_node node(at, 1);
  node.hear(at.proposal(0, 0, at.block(0, 1)));
  REQUIRE(node.said_count(message_code::prepare) == 1);
  node.begin();
  node.hear(at.proposal(0, 0, at.block(0, 2)));
  CHECK(node.said_count(message_code::prepare) == 1); // the old one
  CHECK(decode_prepare(*node.last_said(message_code::prepare))->digest == at.block(0, 1).hash);

  test_node proposer(at, 0);
  proposer.feed(work_available{});
  const auto sent = *proposer.last_said(message_code::proposal);
  proposer.content = 9;
  proposer.begin();
  proposer.feed(work_available{});
  CHECK(proposer.said_count(message_code::proposal) == 1);
  CHECK(*proposer.last_said(message_code::proposal) == sent);
  proposer.hear(at.prepare(1, 0, at.block(0, 1).hash));
  proposer.hear(at.prepare(2, 0, at.block(0, 1).hash));
  CHECK(proposer.said_count(message_code::commit) == 1);
}

TEST_CASE("a restarted node keeps its round and its certificate") {
  scene at(4);
  test_node node(at, 2);
  const auto on = at.block(0);
  node.hear(at.proposal(0, 0, on));
  node.hear(at.prepare(0, 0, on.hash));
  node.hear(at.prepare(1, 0, on.hash));
  node.timer();
  const auto change = *node.last_said(message_code::round_change);
  node.begin();
  CHECK(node.machine->status().round_num == 1);
  CHECK(node.machine->status().prepared == prepared_claim{0, on.hash});
  REQUIRE(node.said.size() == 1);
  CHECK(*node.said[0] == change);
  // All nodes restarted at once: the others' round changes still lead to the same block.
  node.hear(at.round_change(0, 2));
  node.hear(at.round_change(1, 2));
  REQUIRE(node.said_count(message_code::proposal) == 1);
  CHECK(decode_proposal(*node.last_said(message_code::proposal))->block.hash == on.hash);
}

TEST_CASE("a node without its record is silent until it has seen a later block decided") {
  scene at(4);
  test_node node(at, 1);
  node.disk.clear();
  node.begin();
  CHECK(node.machine->status().silent);
  const auto on = at.block(0);
  node.feed(work_available{});
  node.hear(at.proposal(0, 0, on));
  node.hear(at.prepare(0, 0, on.hash));
  node.hear(at.prepare(2, 0, on.hash));
  CHECK(node.said.empty());
  CHECK(node.machine->records_with_block(8).empty());
  for (const std::size_t who : {0, 2, 3})
    node.hear(at.commit(who, 0, on.hash));
  REQUIRE(node.decided.size() == 1);
  CHECK(node.decided[0].entries.size() == 1);
  node.feed(head_changed{{8, on.hash, at.validators[0]}, at.validators});
  CHECK(!node.machine->status().silent);
}

TEST_CASE("blocks that come by synchronisation do not end the silence") {
  scene at(4);
  test_node node(at, 1);
  node.disk.clear();
  node.begin();
  for (std::uint64_t block = 8; block < 20; ++block) {
    node.feed(
        head_changed{{block, filled(static_cast<std::uint8_t>(block)), at.validators[0]}, at.validators});
    CHECK(node.machine->status().silent);
  }
}

TEST_CASE("a record older than the chain is none; one ahead of it waits for the chain") {
  scene at(4);
  test_node old(at, 1);
  old.disk = {{record_key::place, encode_place({at.validators[1], at.domain.genesis_hash, 7, 0})}};
  old.begin();
  CHECK(old.machine->status().silent);

  test_node ahead(at, 1);
  scene next(4, 9);
  next.head = {8, filled(5), at.validators[0]};
  const auto on = next.block(1);
  ahead.disk = {{record_key::place, encode_place({at.validators[1], at.domain.genesis_hash, 9, 0})},
                {record_key::prepare, encode(next.prepare(1, 0, on.hash))}};
  ahead.begin();
  CHECK(ahead.machine->status().silent);
  CHECK(ahead.machine->records_with_block(8).empty());
  ahead.feed(head_changed{next.head, at.validators});
  CHECK(!ahead.machine->status().silent);
  REQUIRE(ahead.said.size() == 1);
  CHECK(*ahead.said[0] == encode(next.prepare(1, 0, on.hash)));
}

TEST_CASE("a damaged record means silence, not a crash") {
  scene at(4);
  test_node node(at, 1);
  node.hear(at.proposal(0, 0, at.block(0)));
  const auto whole = node.disk;
  for (std::size_t which = 0; which < whole.size(); ++which) {
    node.disk = whole;
    node.disk[which].value.resize(node.disk[which].value.size() / 2);
    node.begin();
    CHECK(node.machine->status().silent);
    CHECK(node.said.empty());
  }
}

TEST_CASE("the same events give the same actions, and a neighbor that connects is told what was said") {
  scene at(4);
  const auto run = [&] {
    test_node node(at, 1);
    const auto on = at.block(0);
    node.hear(at.proposal(0, 0, on));
    node.hear(at.prepare(0, 0, on.hash));
    node.hear(at.prepare(2, 0, on.hash));
    const auto told = all_of<send_to>(node.feed(neighbor_connected{77}));
    CHECK(told.size() == 2);
    node.timer();
    std::vector<bytes> out;
    for (const auto& raw : node.said)
      out.push_back(*raw);
    return out;
  };
  CHECK(run() == run());
}

} // namespace machine_rounds_test
