#include "ledger/proof/log_proof.hpp"

#include "base/assert.hpp"
#include "ledger/formats/block.hpp"
#include "ledger/state/trie.hpp"

namespace swarm::ledger {

namespace {

/// The value at `index` of a block's trie.
result<bytes> value_at(const hash32& root, std::uint64_t index, std::span<const bytes> nodes) {
  SWARM_TRY(auto value, verify_proof(root, rlp_number(index), nodes));
  if (!value) return fail(errc::not_found, "the block has no entry {}", index);
  return std::move(*value);
}

result<transaction> txn_of(const log_proof& proof, const block_header& header, std::uint64_t chain_id) {
  SWARM_TRY(const auto raw, value_at(header.txns_root, proof.txn_index, proof.txn));
  SWARM_TRY(auto txn, transaction::decode(raw, chain_id));
  SWARM_CHECK(txn.recover_sender());
  return txn;
}

result<receipt> receipt_of(const log_proof& proof, const block_header& header) {
  SWARM_TRY(const auto raw, value_at(header.receipts_root, proof.txn_index, proof.receipt));
  return decode_receipt(raw);
}

} // namespace

std::vector<bytes> prove_ordered(std::span<const bytes> values, std::size_t index) {
  SWARM_ASSERT(index < values.size());
  trie entries(nullptr);
  for (std::size_t i = 0; i < values.size(); ++i)
    SWARM_ASSERT(entries.put(rlp_number(i), values[i])); // cannot fail: the trie is in memory
  auto nodes = entries.prove(rlp_number(index));
  SWARM_ASSERT(nodes.has_value());
  return std::move(*nodes);
}

result<proven_log> check_log_proof(const log_proof& proof, const block_header& header,
                                   std::uint64_t chain_id) {
  SWARM_ASSERT(proof.block_num == header.block_num);
  auto txn = txn_of(proof, header, chain_id);
  if (!txn)
    return fail(proof_errc::transaction, "block {}: transaction {}: {}", header.block_num, proof.txn_index,
                txn.error().message);
  auto outcome = receipt_of(proof, header);
  if (!outcome)
    return fail(proof_errc::receipt, "block {}: receipt {}: {}", header.block_num, proof.txn_index,
                outcome.error().message);
  if (proof.log_index >= outcome->logs.size())
    return fail(proof_errc::log, "block {}: receipt {} has {} logs, none with index {}", header.block_num,
                proof.txn_index, outcome->logs.size(), proof.log_index);
  return proven_log{header.block_num, proof.txn_index,  txn->hash(),
                    txn->sender(),    txn->fields().to, std::move(outcome->logs[proof.log_index])};
}

} // namespace swarm::ledger
