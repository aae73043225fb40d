#include "ledger/proof/receipt_proof.hpp"

#include "ledger/proof/proof_wire.hpp"
#include "ledger/state/trie.hpp"

#include <algorithm>

namespace swarm::ledger {

namespace {

constexpr std::size_t nodes_max = 16; ///< more than the nibbles of any rlp(index), and what splits them
constexpr node_limits receipt_limits{nodes_max, receipts_size_max, proof_errc::receipt};

} // namespace

bytes encode_receipt_proof(const receipt_proof& item) {
  rlp_writer out(4096);
  out.begin_list();
  write_sealed(out, item.block);
  out.number(item.txn_index);
  write_nodes(out, item.txn);
  write_nodes(out, item.receipt);
  return out.end_list().take();
}

result<receipt_proof> decode_receipt_proof(bytes_view raw) {
  receipt_proof out;
  SWARM_TRY(auto from, rlp_reader::open(raw, "receipt proof"));
  SWARM_TRY(out.block, read_sealed(from));
  SWARM_TRY(out.txn_index, from.number("index"));
  SWARM_TRY(out.txn, read_nodes(from, "transaction nodes", receipt_limits));
  SWARM_TRY(out.receipt, read_nodes(from, "receipt nodes", receipt_limits));
  SWARM_CHECK(from.finish());
  return out;
}

result<receipt> check_receipt_proof(const receipt_proof& proof, const block_header& header, bytes_view txn) {
  const auto key = rlp_number(proof.txn_index);
  const auto shown = verify_proof(header.txns_root, key, proof.txn);
  if (!shown || !*shown || !std::ranges::equal(**shown, txn))
    return fail(proof_errc::transaction, "block {}: entry {} is not shown to be this transaction",
                header.block_num, proof.txn_index);
  const auto outcome = verify_proof(header.receipts_root, key, proof.receipt);
  if (!outcome || !*outcome)
    return fail(proof_errc::receipt, "block {}: receipt {} is not shown", header.block_num, proof.txn_index);
  return decode_receipt(**outcome);
}

} // namespace swarm::ledger
