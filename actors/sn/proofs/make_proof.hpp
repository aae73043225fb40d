#pragma once

#include "contracts/proofs/merge_proof.hpp"
#include "ledger/chain/chain_view.hpp"

namespace swarm::proofs {

/// Makes, from an SN's chain, the proof that the training contract `contract` merged round `round_num`, in
/// the given generation or the latest that merged this round. Errors are errc::not_found for a contract or
/// merge that the chain does not have, and those of reading the chain.
result<contracts::merge_proof> make_proof(const ledger::chain_view& chain, const std::string& contract,
                                          std::uint64_t round_num,
                                          std::optional<std::uint64_t> generation = {});

/// The same for the admin socket: parameters {"contract", "round", "generation"} as JSON text, the answer as
/// that of a proof file.
result<std::string> answer_proof(const ledger::chain_view& chain, std::string_view params);

} // namespace swarm::proofs
