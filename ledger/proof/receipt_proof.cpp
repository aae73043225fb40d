#include "ledger/proof/receipt_proof.hpp"

#include "ledger/formats/rlp.hpp"
#include "ledger/state/trie.hpp"

#include <algorithm>

namespace swarm::ledger {

namespace {

constexpr std::size_t header_bytes_max = 1024;
constexpr std::size_t seals_bytes_max = 32 * 1024;
constexpr std::size_t nodes_max = 16; ///< more than the nibbles of any rlp(index), and what splits them

void write_nodes(rlp_writer& out, std::span<const bytes> nodes) {
  out.begin_list();
  for (const auto& node : nodes)
    out.string(node);
  out.end_list();
}

result<std::vector<bytes>> read_nodes(rlp_reader& from, std::string_view what) {
  SWARM_TRY(auto list, from.list(what));
  std::vector<bytes> out;
  while (!list.at_end()) {
    if (out.size() >= nodes_max) return fail(proof_errc::receipt, "{}: more than {} nodes", what, nodes_max);
    SWARM_TRY(const auto node, list.string(what, receipts_size_max));
    out.push_back(to_bytes(node));
  }
  return out;
}

} // namespace

bytes encode_receipt_proof(const receipt_proof& item) {
  rlp_writer out(4096);
  out.begin_list().string(item.block.header).string(encode_seals(item.block.seals)).number(item.txn_index);
  write_nodes(out, item.txn);
  write_nodes(out, item.receipt);
  return out.end_list().take();
}

result<receipt_proof> decode_receipt_proof(bytes_view raw) {
  receipt_proof out;
  SWARM_TRY(auto from, rlp_reader::open(raw, "receipt proof"));
  SWARM_TRY(const auto header, from.string("header", header_bytes_max));
  out.block.header = to_bytes(header);
  SWARM_TRY(const auto seals, from.string("seals", seals_bytes_max));
  SWARM_TRY(out.block.seals, decode_seals(seals));
  SWARM_TRY(out.txn_index, from.number("index"));
  SWARM_TRY(out.txn, read_nodes(from, "transaction nodes"));
  SWARM_TRY(out.receipt, read_nodes(from, "receipt nodes"));
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
