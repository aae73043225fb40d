#include "actors/sn/proofs/receipt_prover.hpp"

#include "base/assert.hpp"
#include "ledger/formats/rlp.hpp"

namespace swarm::proofs {

namespace {

constexpr std::size_t keep_all = std::size_t{1} << 40;

/// Makes the trie of these values; its nodes are in its store.
void fill(ledger::trie& into, const std::vector<bytes>& values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    SWARM_ASSERT(into.put(ledger::rlp_number(i), values[i])); // cannot fail: all nodes are in memory
  ledger::node_batch batch;
  into.commit(batch);
}

} // namespace

receipt_prover::block_tries::block_tries(const ledger::executed_block& of)
    : block(of.hash), nodes(
                          [](const hash32& hash) -> result<bytes> {
                            return fail(errc::not_found, "no node {}", to_hex(hash.view()));
                          },
                          keep_all),
      txns(&nodes), receipts(&nodes) {
  std::vector<bytes> raw_txns, raw_receipts;
  for (const auto& txn : of.txns)
    raw_txns.push_back(txn.raw());
  for (const auto& outcome : of.outcomes)
    raw_receipts.push_back(ledger::encode_receipt(outcome.consensus));
  fill(txns, raw_txns);
  fill(receipts, raw_receipts);
}

result<receipt_prover::made> receipt_prover::prove(const ledger::chain_view& chain,
                                                   const ledger::txn_place& at) {
  made out;
  if (!last_ || last_->block != at.block->hash) {
    last_ = std::make_unique<const block_tries>(*at.block);
    out.entries = at.block->txns.size();
  }
  const auto key = ledger::rlp_number(at.index);
  out.proof.txn_index = at.index;
  SWARM_TRY(out.proof.block, chain.sealed_header_of(at.block->header.block_num));
  SWARM_TRY(out.proof.txn, last_->txns.prove(key));
  SWARM_TRY(out.proof.receipt, last_->receipts.prove(key));
  return out;
}

} // namespace swarm::proofs
