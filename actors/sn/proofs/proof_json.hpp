#pragma once

#include "contracts/proofs/merge_proof.hpp"

#include <boost/json/fwd.hpp>

/// The file that an auditor gets: one JSON object, format "swarmd merge proof", version 1. Bytes are
/// hexadecimal with 0x; a check-in or merge is {"block", "transaction", "log", "transaction_proof",
/// "receipt_proof"}: the block's number, the transaction's index in it, the log's index in its receipt, and
/// the trie nodes from the header's roots down (EIP-1186). README.md shows one.
namespace swarm::proofs {

/// The longest file that is read.
inline constexpr std::size_t proof_bytes_max = 64 * 1024 * 1024;

boost::json::object to_json(const contracts::merge_proof& proof);

/// Reads the text of a proof file. Errors name the field: "models[2].digest: ...". What the proof claims is
/// not checked here.
result<contracts::merge_proof> read_proof(std::string_view text);

} // namespace swarm::proofs
