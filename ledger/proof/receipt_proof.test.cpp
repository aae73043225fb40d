#include "ledger/proof/receipt_proof.hpp"

#include "ledger/proof/log_proof.hpp"
#include "ledger/proof/testing/proof_fixture.hpp"

#include <doctest/doctest.h>

namespace receipt_proof_test {

using namespace swarm;
using namespace swarm::ledger;
using namespace swarm::ledger::test;

namespace {

/// A block of twenty transactions by keys 1 to 20.
struct world {
  paper_chain chain{{1, 2, 3, 4}};

  world() {
    std::vector<paper_txn> txns;
    for (std::uint8_t signer = 1; signer <= 20; ++signer)
      txns.push_back({.signer = signer, .to = paper_key(9).account(), .logs = {}});
    chain.add_block(txns);
  }
  bytes txn_of(std::uint8_t signer) const {
    txn_fields fields;
    fields.gas_limit = 21'000;
    fields.to = paper_key(9).account();
    return to_bytes(make_signed(fields, paper_key(signer), chain.identity().chain_id)->raw());
  }
  receipt_proof proof_at(std::size_t index) const {
    auto from = chain.prove(1, index, 0);
    return {chain.sealed(1), index, std::move(from.txn), std::move(from.receipt)};
  }
};

} // namespace

TEST_CASE("a proof shows how a transaction ended, and passes through its encoding") {
  const world at;
  for (const std::size_t index : {0, 7, 19}) {
    const auto shown = decode_receipt_proof(encode_receipt_proof(at.proof_at(index)));
    REQUIRE(shown);
    const auto raw = at.txn_of(static_cast<std::uint8_t>(index + 1));
    const auto outcome = check_receipt_proof(*shown, at.chain.header(1), raw);
    REQUIRE(outcome);
    CHECK(outcome->ok);
    CHECK(outcome->cumulative_gas_used == index + 1);
  }
}

TEST_CASE("a receipt of another transaction, of another block, or with a byte changed proves nothing") {
  world at;
  at.chain.add_block({});
  const auto raw = at.txn_of(8);
  const auto& header = at.chain.header(1);
  const auto true_one = at.proof_at(7);
  CHECK(check_receipt_proof(true_one, header, at.txn_of(9)).error().is(proof_errc::transaction));
  CHECK(check_receipt_proof(true_one, at.chain.header(2), raw).error().is(proof_errc::transaction));
  auto other = true_one;
  other.receipt = at.proof_at(8).receipt;
  CHECK(check_receipt_proof(other, header, raw).error().is(proof_errc::receipt));
  other = true_one;
  other.txn_index = 8;
  CHECK(check_receipt_proof(other, header, raw).error().is(proof_errc::transaction));
  other = true_one;
  other.receipt.back().back() ^= 1;
  CHECK(check_receipt_proof(other, header, raw).error().is(proof_errc::receipt));
  other = true_one;
  other.receipt.clear();
  CHECK(check_receipt_proof(other, header, raw).error().is(proof_errc::receipt));
}

TEST_CASE("what is no proof of a receipt is refused") {
  CHECK_FALSE(decode_receipt_proof({}));
  CHECK_FALSE(decode_receipt_proof(bytes{0xc0}));
  auto large = world().proof_at(3);
  large.txn.resize(17);
  CHECK(decode_receipt_proof(encode_receipt_proof(large)).error().is(proof_errc::receipt));
}

} // namespace receipt_proof_test
