#include "base/hash.hpp"
#include "ledger/proof/log_proof.hpp"
#include "ledger/proof/testing/proof_fixture.hpp"

#include <doctest/doctest.h>

namespace proof_proof_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;

namespace {

/// Every single byte of `nodes` altered in turn.
template <class Check>
void check_each_byte(std::vector<bytes>& nodes, const Check& refused) {
  for (auto& node : nodes)
    for (auto& byte : node) {
      byte ^= 0x10;
      refused();
      byte ^= 0x10;
    }
}

log_entry some_log(std::uint8_t n) {
  address emitter;
  emitter[19] = n;
  return {emitter, {keccak256(as_bytes("topic"))}, bytes(40, n)};
}

} // namespace

TEST_CASE("a quorum is two thirds of the validators, rounded up") {
  const std::size_t wanted[] = {0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7};
  for (std::size_t n = 0; n <= 10; ++n)
    CHECK(seal_quorum(n) == wanted[n]);
}

TEST_CASE("the validators follow from the genesis block over every change") {
  paper_chain chain({1});
  chain.add_block({});            // 1, sealed by key 1
  chain.add_block({}, {1, 2, 3}); // 2, the last one by key 1 alone
  chain.add_block({});            // 3, by two of three
  chain.add_block({}, {2, 3, 4, 5});
  const std::vector handovers{chain.handover_at(0), chain.handover_at(2), chain.handover_at(4)};

  const auto history = validator_history::follow(chain.identity(), handovers);
  REQUIRE(history);
  CHECK(history->sealers_of(0).empty());
  for (const auto& [block_num, count] : {std::pair{1, 1}, {2, 1}, {3, 3}, {4, 3}, {5, 4}, {900, 4}})
    CHECK(history->sealers_of(static_cast<std::uint64_t>(block_num)).size()
          == static_cast<std::size_t>(count));
  CHECK(open_sealed(chain.sealed(3), chain.identity(), history->sealers_of(3)));
  CHECK(
      open_sealed(chain.sealed(3), chain.identity(), history->sealers_of(2)).error().is(seal_errc::too_many));

  SUBCASE("nothing is sealed by nobody") {
    const sealed_header unsealed{encode_header(chain.header(3)), {}};
    CHECK(open_sealed(unsealed, chain.identity(), {}).error().is(proof_errc::order));
    CHECK(open_sealed(chain.sealed(0), chain.identity(), chain.validators()).error().is(proof_errc::order));
  }
  SUBCASE("left out") {
    const std::vector gap{handovers[0], handovers[2]};
    CHECK(validator_history::follow(chain.identity(), gap).error().is(seal_errc::too_many));
  }
  SUBCASE("in another order, or twice") {
    const std::vector back{handovers[0], handovers[1], handovers[1]};
    CHECK_FALSE(validator_history::follow(chain.identity(), back));
  }
  SUBCASE("without the genesis block, or with another") {
    const std::vector late{handovers[1]};
    CHECK(validator_history::follow(chain.identity(), late).error().is(proof_errc::genesis));
    CHECK(validator_history::follow(chain.identity(), {}).error().is(proof_errc::genesis));
    auto other = chain.identity();
    other.genesis_hash[0] ^= 1;
    CHECK(validator_history::follow(other, handovers).error().is(proof_errc::genesis));
  }
  SUBCASE("of another chain id") {
    auto other = chain.identity();
    ++other.chain_id;
    CHECK(validator_history::follow(other, handovers).error().is(seal_errc::not_a_validator));
  }
  SUBCASE("a genesis block that somebody claims to have sealed") {
    auto sealed = handovers;
    sealed[0].block.seals = handovers[1].block.seals;
    CHECK(validator_history::follow(chain.identity(), sealed).error().is(proof_errc::genesis));
  }
}

TEST_CASE("a set of validators cannot be altered, cut or stretched") {
  paper_chain chain({1, 2, 3});
  const auto root = chain.header(0).state_root;
  auto proof = chain.handover_at(0).proof;
  REQUIRE(check_validators(root, proof)->size() == 3);
  const auto refused = [&] { CHECK(check_validators(root, proof).error().is(proof_errc::validators)); };

  SUBCASE("a byte") {
    check_each_byte(proof.account, refused);
    check_each_byte(proof.count, refused);
    for (auto& member : proof.members)
      check_each_byte(member, refused);
  }
  SUBCASE("a validator left out") {
    proof.members.pop_back();
    refused();
  }
  SUBCASE("all left out") {
    proof.members.clear();
    refused();
  }
  SUBCASE("one more") {
    proof.members.push_back(proof.members.back());
    refused();
  }
  SUBCASE("a node left out") {
    proof.account.pop_back();
    refused();
  }
  SUBCASE("more than there can be") {
    proof.members.resize(validators_max + 1);
    refused();
  }
}

TEST_CASE("every log of every transaction of a block can be proved") {
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{17}, std::size_t{130}}) {
    paper_chain chain({1});
    std::vector<paper_txn> txns;
    for (std::size_t i = 0; i < count; ++i) {
      const auto n = static_cast<std::uint8_t>(i);
      txns.push_back(
          {.signer = static_cast<std::uint8_t>(1 + i % 7), .to = {}, .logs = {some_log(n), some_log(n)}});
    }
    chain.add_block(txns);
    for (std::size_t i = 0; i < count; ++i) {
      const auto shown = check_log_proof(chain.prove(1, i, 1), chain.header(1), chain.identity().chain_id);
      REQUIRE(shown);
      CHECK(shown->entry == txns[i].logs[1]);
      CHECK(shown->sender == paper_key(txns[i].signer).account());
      CHECK(shown->block_num == 1);
      CHECK(shown->txn_index == i);
    }
  }
}

TEST_CASE("a log proof cannot be altered") {
  paper_chain chain({1});
  chain.add_block(
      {{.signer = 2, .to = {}, .logs = {some_log(1)}}, {.signer = 3, .to = {}, .logs = {some_log(2)}}});
  auto proof = chain.prove(1, 1, 0);
  const auto check = [&] { return check_log_proof(proof, chain.header(1), chain.identity().chain_id); };
  REQUIRE(check());

  SUBCASE("a byte of the transaction") {
    check_each_byte(proof.txn, [&] { CHECK(check().error().is(proof_errc::transaction)); });
  }
  SUBCASE("a byte of the receipt") {
    check_each_byte(proof.receipt, [&] { CHECK(check().error().is(proof_errc::receipt)); });
  }
  SUBCASE("another log") {
    proof.log_index = 1;
    CHECK(check().error().is(proof_errc::log));
  }
  SUBCASE("another transaction") {
    proof.txn_index = 0;
    CHECK(check().error().is(proof_errc::transaction));
    proof.txn = chain.prove(1, 0, 0).txn;
    CHECK(check().error().is(proof_errc::receipt));
  }
  SUBCASE("a transaction that is not there") {
    proof.txn_index = 2;
    CHECK(check().error().is(proof_errc::transaction));
  }
  SUBCASE("another chain") {
    CHECK(check_log_proof(proof, chain.header(1), 7).error().is(proof_errc::transaction));
  }
}

TEST_CASE("a header that no chain of this kind can have is refused") {
  paper_chain chain({1});
  auto header = chain.header(0);
  CHECK(open_header(encode_header(header)));
  header.base_fee = u256(1);
  CHECK(open_header(encode_header(header)).error().is(proof_errc::header));
  CHECK(open_header(as_bytes("none")).error().is(proof_errc::header));
}

} // namespace proof_proof_test
