#include "ledger/consensus/validation.hpp"

#include "ledger/consensus/testing/fixture.hpp"

namespace validation_test {

using namespace swarm;
using namespace swarm::consensus;
using namespace swarm::consensus::testing;

namespace {

using rule = consensus_errc;

result<> judge(scene& at, proposal_message item) {
  return is_valid_proposal(item, at.view());
}
result<address> judge(scene& at, round_change_message item) {
  return is_valid_round_change(item, at.view());
}

std::vector<signed_round_change> votes_of(const scene& at, const std::vector<std::size_t>& who,
                                          std::uint64_t round_num, std::optional<prepared_claim> claim = {}) {
  std::vector<signed_round_change> out;
  for (const auto one : who)
    out.push_back(at.vote(one, round_num, claim));
  return out;
}

} // namespace

TEST_CASE("extends_head: number and parent hash are those that follow the head") {
  scene at(4);
  CHECK(extends_head(at.block(0), at.view()));
  auto other = at.head;
  other.hash = filled(1);
  CHECK(breaks(extends_head(make_block(other, at.validators[0]), at.view()), rule::wrong_parent));
  other = at.head;
  ++other.block_num;
  CHECK(breaks(extends_head(make_block(other, at.validators[0]), at.view()), rule::wrong_parent));
}

TEST_CASE("is_signed_by_proposer: nobody proposes in another's round") {
  scene at(4);
  CHECK(is_signed_by_proposer(at.proposal(0, 0, at.block(0)), at.view()));
  CHECK(is_signed_by_proposer(at.proposal(2, 2, at.block(2)), at.view()));
  CHECK(breaks(is_signed_by_proposer(at.proposal(1, 0, at.block(1)), at.view()), rule::not_the_proposer));
  auto replayed = at.proposal(0, 0, at.block(0));
  replayed.round_num = 4; // the same proposer's turn, but another round was signed
  CHECK(breaks(is_signed_by_proposer(replayed, at.view()), rule::not_a_validator));
  auto elsewhere = at;
  elsewhere.domain.genesis_hash = filled(9);
  CHECK(
      breaks(is_signed_by_proposer(elsewhere.proposal(0, 0, at.block(0)), at.view()), rule::not_a_validator));
}

TEST_CASE("has_lawful_coinbase: a fresh block is its proposer's, a prepared one keeps its maker") {
  scene at(4);
  CHECK(has_lawful_coinbase(at.proposal(0, 0, at.block(0)), at.view()));
  CHECK(breaks(has_lawful_coinbase(at.proposal(0, 0, at.block(1)), at.view()), rule::wrong_coinbase));
  const auto on = at.block(0);
  CHECK(has_lawful_coinbase(at.proposal(1, 1, on, votes_of(at, {0, 1, 2}, 1, prepared_claim{0, on.hash})),
                            at.view()));
  CHECK(breaks(has_lawful_coinbase(at.proposal(1, 1, on, votes_of(at, {0, 1, 2}, 1)), at.view()),
               rule::wrong_coinbase));
  const auto strange = make_block(at.head, fake_account(77));
  const auto claims = votes_of(at, {0, 1, 2}, 1, prepared_claim{0, strange.hash});
  CHECK(breaks(has_lawful_coinbase(at.proposal(1, 1, strange, claims), at.view()), rule::wrong_coinbase));
}

TEST_CASE("is_quorum_of_distinct_authors counts authors") {
  scene at(4);
  const auto& v = at.validators;
  CHECK(is_quorum_of_distinct_authors(std::vector{v[0], v[3], v[1]}, at.view()));
  CHECK(breaks(is_quorum_of_distinct_authors(std::vector{v[0], v[3]}, at.view()), rule::below_quorum));
  CHECK(
      breaks(is_quorum_of_distinct_authors(std::vector{v[0], v[3], v[0]}, at.view()), rule::repeated_author));
}

TEST_CASE("is_valid_certificate: q prepares of distinct validators for one height, round and block") {
  scene at(4);
  const auto x = filled(1);
  CHECK(is_valid_certificate(at.prepares({0, 1, 2}, 3, x), 3, x, at.view()));
  CHECK(is_valid_certificate(at.prepares({0, 1, 2, 3}, 3, x), 3, x, at.view()));
  CHECK(breaks(is_valid_certificate(at.prepares({0, 1}, 3, x), 3, x, at.view()), rule::below_quorum));
  CHECK(breaks(is_valid_certificate(at.prepares({0, 1, 1}, 3, x), 3, x, at.view()), rule::repeated_author));
  // One author with several signatures, as ECDSA allows.
  std::vector<signed_prepare> variants{at.prepare(0, 3, x, 0), at.prepare(0, 3, x, 1),
                                       at.prepare(0, 3, x, 2)};
  CHECK(breaks(is_valid_certificate(variants, 3, x, at.view()), rule::repeated_author));
  CHECK(breaks(is_valid_certificate(at.prepares({0, 1, 2}, 2, x), 3, x, at.view()), rule::wrong_round));
  CHECK(breaks(is_valid_certificate(at.prepares({0, 1, 2}, 3, filled(2)), 3, x, at.view()),
               rule::prepared_mismatch));
  auto mixed = at.prepares({0, 1, 2}, 3, x);
  mixed[2].digest = filled(2);
  CHECK(breaks(is_valid_certificate(mixed, 3, x, at.view()), rule::prepared_mismatch));
  scene later(4, 9);
  CHECK(breaks(is_valid_certificate(later.prepares({0, 1, 2}, 3, x), 3, x, at.view()), rule::wrong_height));
  auto forged = at.prepares({0, 1, 2}, 3, x);
  forged[1].signature[40] ^= 1;
  CHECK(breaks(is_valid_certificate(forged, 3, x, at.view()), rule::not_a_validator));
  forged[1].signature = {}; // zero seals
  CHECK(!is_valid_certificate(forged, 3, x, at.view()));
  scene bigger(7);
  CHECK(
      breaks(is_valid_certificate(bigger.prepares({0, 1, 5}, 3, x), 3, x, at.view()), rule::not_a_validator));
  const auto flood = at.prepares({0, 1, 2, 3, 0}, 3, x);
  const auto before = at.authors.recoveries();
  CHECK(breaks(is_valid_certificate(flood, 3, x, at.view()), rule::repeated_author));
  CHECK(at.authors.recoveries() == before); // refused by its length
}

TEST_CASE("is_valid_round_change: claim, block and prepares belong together") {
  scene at(4);
  const auto on = at.block(0);
  const auto proof = at.proof(1, on, {0, 1, 3});
  CHECK(judge(at, at.round_change(2, 3)).value() == at.validators[2]);
  CHECK(judge(at, at.round_change(2, 3, proof)).value() == at.validators[2]);
  CHECK(breaks(judge(at, at.round_change(2, 0)), rule::wrong_round));
  CHECK(breaks(judge(at, scene(4, 9).round_change(2, 3)), rule::wrong_height));
  CHECK(breaks(judge(at, at.round_change(2, 1, proof)), rule::prepared_round));
  auto item = at.round_change(2, 3, proof);
  item.block.reset();
  CHECK(breaks(judge(at, item), rule::prepared_mismatch));
  item = at.round_change(2, 3, proof);
  item.block = at.block(0, 2);
  CHECK(breaks(judge(at, item), rule::prepared_mismatch));
  item = at.round_change(2, 3, proof);
  item.prepares.pop_back();
  CHECK(breaks(judge(at, item), rule::below_quorum));
  item = at.round_change(2, 3);
  item.prepares = proof.prepares;
  CHECK(breaks(judge(at, item), rule::prepared_mismatch));
  item = at.round_change(2, 3);
  item.block = on;
  CHECK(breaks(judge(at, item), rule::prepared_mismatch));
  item = at.round_change(2, 3, at.proof(1, on, {0, 1, 1}));
  CHECK(breaks(judge(at, item), rule::repeated_author));
  item = at.round_change(2, 3, at.proof(2, on, {0, 1, 3}));
  item.vote = at.vote(2, 3, prepared_claim{1, on.hash});
  CHECK(breaks(judge(at, item), rule::wrong_round));
  item = at.round_change(2, 3);
  item.vote.round_num = 4; // another round than was signed
  CHECK(breaks(judge(at, item), rule::not_a_validator));
  auto stale = at.head;
  stale.hash = filled(1);
  const auto elsewhere = make_block(stale, at.validators[0]);
  CHECK(breaks(judge(at, at.round_change(2, 3, at.proof(1, elsewhere, {0, 1, 3}))), rule::wrong_parent));
}

TEST_CASE("is_valid_round_change: the block that comes with it is checked to the last transaction") {
  scene at(4);
  const auto on = at.block(0);
  auto item = at.round_change(2, 3, at.proof(1, on, {0, 1, 3}));
  auto from = ledger::rlp_reader::open(*on.raw, "block").value();
  ledger::rlp_writer out;
  out.begin_list()
      .encoded(from.next("header")->encoded)
      .begin_list()
      .end_list()
      .begin_list()
      .end_list()
      .encoded(ledger::encode_seals({}))
      .end_list();
  item.block = *read_block(std::make_shared<const bytes>(out.take()));
  REQUIRE(item.block->hash == on.hash);
  CHECK(breaks(judge(at, item), rule::body_mismatch));
}

TEST_CASE("are_valid_round_changes: one proposer cannot stand for a quorum") {
  scene at(4);
  CHECK(are_valid_round_changes(votes_of(at, {0, 1, 3}, 2), 2, at.view()));
  // The proposer's own round change, q times over, as it is and with other signatures.
  CHECK(breaks(are_valid_round_changes(votes_of(at, {2, 2, 2}, 2), 2, at.view()), rule::repeated_author));
  std::vector<signed_round_change> variants{at.vote(2, 2, {}, 0), at.vote(2, 2, {}, 1), at.vote(2, 2, {}, 2)};
  CHECK(breaks(are_valid_round_changes(variants, 2, at.view()), rule::repeated_author));
  CHECK(breaks(are_valid_round_changes(votes_of(at, {0, 1}, 2), 2, at.view()), rule::below_quorum));
  CHECK(breaks(are_valid_round_changes({}, 2, at.view()), rule::below_quorum));
  // The target round is exactly the proposal's, neither lower nor higher.
  auto mixed = votes_of(at, {0, 1, 3}, 2);
  mixed[1] = at.vote(1, 1);
  CHECK(breaks(are_valid_round_changes(mixed, 2, at.view()), rule::wrong_round));
  mixed[1] = at.vote(1, 3);
  CHECK(breaks(are_valid_round_changes(mixed, 2, at.view()), rule::wrong_round));
  mixed[1] = scene(4, 9).vote(1, 2);
  CHECK(breaks(are_valid_round_changes(mixed, 2, at.view()), rule::wrong_height));
  mixed[1] = at.vote(1, 2, prepared_claim{2, filled(1)});
  CHECK(breaks(are_valid_round_changes(mixed, 2, at.view()), rule::prepared_round));
  mixed[1] = at.vote(1, 2);
  mixed[1].signature[30] ^= 1;
  CHECK(breaks(are_valid_round_changes(mixed, 2, at.view()), rule::not_a_validator));
  mixed[1] = scene(7).vote(6, 2);
  CHECK(breaks(are_valid_round_changes(mixed, 2, at.view()), rule::not_a_validator));
}

TEST_CASE("is_valid_proposal_justification: round 0 carries none") {
  scene at(4);
  const auto on = at.block(0);
  CHECK(judge(at, at.proposal(0, 0, on)));
  CHECK(breaks(judge(at, at.proposal(0, 0, on, votes_of(at, {0, 1, 2}, 0))), rule::unjustified));
  CHECK(breaks(judge(at, at.proposal(0, 0, on, {}, at.prepares({0, 1, 2}, 0, on.hash))), rule::unjustified));
}

TEST_CASE("is_valid_proposal_justification: a fresh block when nobody was prepared") {
  scene at(4);
  const auto fresh = at.block(1);
  CHECK(judge(at, at.proposal(1, 1, fresh, votes_of(at, {0, 1, 2}, 1))));
  CHECK(breaks(judge(at, at.proposal(1, 1, fresh)), rule::below_quorum));
  CHECK(breaks(
      judge(at, at.proposal(1, 1, fresh, votes_of(at, {0, 1, 2}, 1), at.prepares({0, 1, 2}, 0, fresh.hash))),
      rule::unjustified));
}

TEST_CASE("a fresh block says in which round it was made, and one that was prepared names an earlier one") {
  scene at(4);
  const auto of = [&](std::size_t who, std::uint64_t made_in) {
    return make_block(at.head, at.validators[who], 1, {{0x02, 0xc0}}, made_in);
  };
  CHECK(judge(at, at.proposal(0, 0, of(0, 0))));
  CHECK(breaks(judge(at, at.proposal(0, 0, of(0, 1))), rule::wrong_making));
  const auto fresh = [&](std::uint64_t made_in) {
    return judge(at, at.proposal(2, 2, of(2, made_in), votes_of(at, {0, 1, 2}, 2)));
  };
  CHECK(fresh(2));
  CHECK(breaks(fresh(0), rule::wrong_making)); // it would hide that two proposers missed their turns
  CHECK(breaks(fresh(3), rule::wrong_making));
  const auto again = [&](std::uint64_t made_in) {
    const auto on = of(0, made_in);
    const std::vector<signed_round_change> votes{at.vote(0, 2, prepared_claim{0, on.hash}), at.vote(1, 2),
                                                 at.vote(2, 2)};
    return judge(at, at.proposal(2, 2, on, votes, at.prepares({0, 1, 2}, 0, on.hash)));
  };
  CHECK(again(0));
  CHECK(again(1));
  CHECK(breaks(again(2), rule::wrong_making));
}

TEST_CASE("it is nobody's turn who rests, while others have theirs") {
  scene at(4);
  at.head.resting = {at.validators[0]};
  CHECK(breaks(judge(at, at.proposal(0, 0, at.block(0))), rule::wrong_coinbase));
  const auto block = make_block(at.head, at.validators[1], 1);
  CHECK(judge(at, at.proposal(1, 0, block)));
  const auto last = make_block(at.head, at.validators[0], 1, {{0x02, 0xc0}}, 3);
  CHECK(judge(at, at.proposal(0, 3, last, votes_of(at, {0, 1, 2}, 3))));
}

TEST_CASE(
    "is_valid_proposal_justification: the block prepared in the highest round, proved by its prepares") {
  scene at(4);
  const auto low = at.block(0, 1);
  const auto high = at.block(1, 2);
  const std::vector<signed_round_change> votes{at.vote(0, 3, prepared_claim{0, low.hash}),
                                               at.vote(1, 3, prepared_claim{1, high.hash}), at.vote(3, 3)};
  CHECK(judge(at, at.proposal(3, 3, high, votes, at.prepares({0, 1, 2}, 1, high.hash))));
  CHECK(breaks(judge(at, at.proposal(3, 3, low, votes, at.prepares({0, 1, 2}, 0, low.hash))),
               rule::not_highest));
  const auto own = make_block(at.head, at.validators[3], 1, {{0x02, 0xc0}}, 2);
  CHECK(breaks(judge(at, at.proposal(3, 3, own, votes)), rule::not_highest));
  CHECK(breaks(judge(at, at.proposal(3, 3, high, votes)), rule::below_quorum));
  // Prepares are verified, not believed.
  auto forged = at.prepares({0, 1, 2}, 1, high.hash);
  forged[0].signature = {};
  CHECK(breaks(judge(at, at.proposal(3, 3, high, votes, forged)), rule::not_a_validator));
  CHECK(breaks(judge(at, at.proposal(3, 3, high, votes, at.prepares({0, 1, 1}, 1, high.hash))),
               rule::repeated_author));
  CHECK(breaks(judge(at, at.proposal(3, 3, high, votes, at.prepares({0, 1, 2}, 0, high.hash))),
               rule::wrong_round));
  auto torn = votes;
  torn[2] = at.vote(3, 3, prepared_claim{1, low.hash});
  CHECK(breaks(judge(at, at.proposal(3, 3, high, torn, at.prepares({0, 1, 2}, 1, high.hash))),
               rule::prepared_mismatch));
}

TEST_CASE("each signature is recovered once") {
  scene at(4);
  const auto on = at.block(0);
  const auto proof = at.proof(0, on, {0, 1, 2});
  for (std::size_t who = 0; who < 4; ++who)
    REQUIRE(judge(at, at.round_change(who, 1, proof)));
  CHECK(at.authors.recoveries() == 3 + 4);
  const auto claim = prepared_claim{0, on.hash};
  REQUIRE(judge(at, at.proposal(1, 1, on, votes_of(at, {0, 1, 3}, 1, claim), proof.prepares)));
  CHECK(at.authors.recoveries() == 3 + 4 + 1);
}

TEST_CASE("the memory of signatures is keyed by digest too, and bounded") {
  scene at(4);
  const auto signature = fake_sign(at.validators[0], filled(1));
  CHECK(at.authors.author_of(filled(1), signature, at.validators).value() == at.validators[0]);
  CHECK(!at.authors.author_of(filled(2), signature, at.validators));
  const std::vector<address> others{at.validators[1], at.validators[2]};
  CHECK(breaks(at.authors.author_of(filled(1), signature, others), rule::not_a_validator));
  for (std::uint64_t i = 0; i < 3 * author_finder::remembered_max; ++i) {
    hash32 digest;
    put_be64(digest.data(), i);
    REQUIRE(at.authors.author_of(digest, fake_sign(at.validators[0], digest), at.validators));
  }
  CHECK(at.authors.remembered() <= author_finder::remembered_max);
}

} // namespace validation_test
