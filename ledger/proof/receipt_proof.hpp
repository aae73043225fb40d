#pragma once

#include "ledger/formats/receipt.hpp"
#include "ledger/proof/trust.hpp"

namespace swarm::ledger {

/// Proof of how a transaction ended, for whoever has sent it: its block, and the nodes of the block's transaction and
/// receipt tries on the way from the roots in the header to rlp(index).
struct receipt_proof {
  sealed_header block;
  std::uint64_t txn_index = 0; ///< in the block
  std::vector<bytes> txn;
  std::vector<bytes> receipt;
};

/// rlp[header, seals, index, [txn node ...], [receipt node ...]], header and seals in strings.
bytes encode_receipt_proof(const receipt_proof& item);
result<receipt_proof> decode_receipt_proof(bytes_view raw);

/// The receipt of the transaction whose encoding is `txn`, by a proof and the header of its block, which the caller
/// trusts. Errors name the block: proof_errc::transaction when it is another transaction, or none, proof_errc::receipt.
result<receipt> check_receipt_proof(const receipt_proof& proof, const block_header& header, bytes_view txn);

} // namespace swarm::ledger
