#include "ledger/proof/trust_chain.hpp"

#include "base/hash.hpp"
#include "ledger/proof/testing/proof_fixture.hpp"

#include <doctest/doctest.h>

namespace trust_chain_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;

namespace {

/// Ten blocks; 2, 5 and 7 change the validators.
struct world {
  paper_chain chain{{1}};
  std::vector<address> genesis_set = chain.validators();

  world() {
    const std::map<std::uint64_t, std::vector<std::uint8_t>> changes{
        {2, {1, 2, 3}}, {5, {2, 3, 4, 5}}, {7, {2, 3, 4}}};
    for (std::uint64_t i = 1; i <= 10; ++i)
      chain.add_block({}, changes.contains(i) ? changes.at(i) : std::vector<std::uint8_t>{});
  }
  trust_chain begin() const { return {chain.identity(), {0, genesis_set}}; }
  trust_chain after(std::initializer_list<std::size_t> changes) {
    auto out = begin();
    for (const auto block_num : changes)
      REQUIRE(out.follow(chain.handover_at(block_num)));
    return out;
  }
};

/// Seals by these keys over the hash of a block, as validators make them.
seal_record sealed_by(const std::vector<std::uint8_t>& keys, const sealed_header& block,
                      const chain_identity& of) {
  seal_record out{.round_num = 1, .seals = {}};
  const auto digest = seal_digest(of.chain_id, of.genesis_hash, keccak256(block.header), 1);
  for (const auto key : keys)
    out.seals.push_back({paper_key(key).sign_recoverable(digest)});
  return out;
}

} // namespace

TEST_CASE("from genesis over every change to a pivot") {
  world at;
  auto trust = at.after({2, 5, 7});
  CHECK(trust.reached() == 7);
  CHECK(trust.validators() == at.chain.validators());
  const auto pivot = trust.arrive(at.chain.handover_at(9));
  REQUIRE(pivot);
  CHECK(pivot->block_num == 9);
  CHECK(pivot->state_root == at.chain.header(9).state_root);
}

TEST_CASE("from a head in the middle; the chain before it is of no interest") {
  world at;
  trust_chain trust(at.chain.identity(), {6, at.after({2, 5}).validators()});
  CHECK(trust.follow(at.chain.handover_at(7)));
  CHECK(trust.arrive(at.chain.handover_at(10)));
  CHECK(trust.reached() == 7);
}

TEST_CASE("every change counts: none can be left out, swapped or repeated") {
  world at;
  CHECK_FALSE(at.after({2}).follow(at.chain.handover_at(7))); // by key 4, which 5 let in
  CHECK_FALSE(at.after({2, 5}).arrive(at.chain.handover_at(9)));
  CHECK(at.after({2, 5}).arrive(at.chain.handover_at(7)).error().is(proof_errc::other_validators));
  CHECK_FALSE(at.after({}).follow(at.chain.handover_at(5)));
  auto twice = at.after({2});
  CHECK_FALSE(twice.follow(at.chain.handover_at(2)));
  CHECK(at.after({2, 5, 7}).follow(at.chain.handover_at(8)).error().is(proof_errc::unchanged));
  CHECK_FALSE(at.begin().follow(at.chain.handover_at(0)));
}

TEST_CASE("an earlier block of the same validators is no change, a known block no pivot") {
  world at;
  trust_chain ahead(at.chain.identity(), {9, at.after({2, 5, 7}).validators()});
  CHECK(ahead.arrive(at.chain.handover_at(9)).error().is(proof_errc::old_pivot));
  CHECK(ahead.arrive(at.chain.handover_at(8)).error().is(proof_errc::old_pivot));
  CHECK(ahead.follow(at.chain.handover_at(8)).error().is(proof_errc::order));
  CHECK(ahead.arrive(at.chain.handover_at(10)));
}

TEST_CASE("seals: of the set in force, a quorum of it, each author once, over this block") {
  world at;
  const auto trust = at.after({2, 5});
  const auto follow = [&](const handover& lie) {
    auto copy = trust;
    const auto done = copy.follow(lie);
    CHECK(copy.reached() == 5);
    CHECK(copy.validators() == trust.validators());
    return done ? error{} : done.error();
  };
  const auto honest = at.chain.handover_at(7);
  const auto with = [&](seal_record seals) {
    auto lie = honest;
    lie.block.seals = std::move(seals);
    return lie;
  };
  const auto by = [&](std::vector<std::uint8_t> keys) {
    return with(sealed_by(std::move(keys), honest.block, at.chain.identity()));
  };
  CHECK(follow(by({2, 3})).is(seal_errc::below_quorum));
  CHECK(follow(by({})).is(seal_errc::below_quorum));
  CHECK(follow(by({2, 3, 3})).is(seal_errc::duplicate_author));
  CHECK(follow(by({2, 3, 9})).is(seal_errc::not_a_validator));
  CHECK(follow(by({2, 3, 4, 5, 9})).is(seal_errc::too_many));
  CHECK_FALSE(follow(with(at.chain.sealed(6).seals)).message.empty());
  const chain_identity other{at.chain.identity().chain_id, keccak256("another genesis")};
  CHECK(follow(with(sealed_by({2, 3, 4}, honest.block, other))).is(seal_errc::not_a_validator));
  auto all = trust;
  CHECK(all.follow(by({2, 4, 5})));
  CHECK(all.reached() == 7);
}

TEST_CASE("another chain of the same validators is refused") {
  world at;
  trust_chain stranger({at.chain.identity().chain_id + 1, at.chain.identity().genesis_hash},
                       {0, at.genesis_set});
  CHECK_FALSE(stranger.follow(at.chain.handover_at(2)));
  CHECK_FALSE(stranger.arrive(at.chain.handover_at(1)));
}

TEST_CASE("no byte of a change or a pivot can be altered, no node left out") {
  world at;
  const auto refused = [&](const handover& lie, bool last) {
    auto trust = last ? at.after({2, 5, 7}) : at.after({2, 5});
    const bool taken = last ? trust.arrive(lie).has_value() : trust.follow(lie).has_value();
    CHECK_FALSE(taken);
  };
  for (const bool last : {false, true}) {
    const auto honest = at.chain.handover_at(last ? 9 : 7);
    auto lie = honest;
    for (std::size_t i = 0; i < lie.block.header.size(); i += 3) {
      lie.block.header[i] ^= 1;
      refused(lie, last);
      lie.block.header[i] ^= 1;
    }
    for (std::size_t i = 0; i < lie.proof.members.size(); ++i) {
      lie = honest;
      lie.proof.members[i].back().back() ^= 1;
      refused(lie, last);
      lie = honest;
      lie.proof.members.erase(lie.proof.members.begin() + static_cast<std::ptrdiff_t>(i));
      refused(lie, last);
    }
    lie = honest;
    lie.proof.members.push_back(lie.proof.members.back());
    refused(lie, last);
    lie = honest;
    std::swap(lie.proof.members.front(), lie.proof.members.back());
    refused(lie, last);
    lie = honest;
    lie.proof.account.pop_back();
    refused(lie, last);
    lie = honest;
    lie.proof = at.chain.handover_at(2).proof; // true of another block
    refused(lie, last);
  }
}

TEST_CASE("a handover survives its encoding, a damaged one is refused or another") {
  world at;
  const auto honest = at.chain.handover_at(5);
  const auto raw = encode_handover(honest);
  const auto again = decode_handover(raw);
  REQUIRE(again);
  CHECK(encode_handover(*again) == raw);
  CHECK(again->block.header == honest.block.header);
  CHECK(again->block.seals == honest.block.seals);
  CHECK(again->proof.members == honest.proof.members);
  for (std::size_t size = 0; size < raw.size(); size += 7)
    CHECK_FALSE(decode_handover(bytes_view(raw).first(size)));
  handover wide = honest;
  wide.proof.members.resize(validators_max + 1);
  CHECK_FALSE(decode_handover(encode_handover(wide)));
  wide = honest;
  wide.proof.account.resize(81);
  CHECK_FALSE(decode_handover(encode_handover(wide)));
}

} // namespace trust_chain_test
