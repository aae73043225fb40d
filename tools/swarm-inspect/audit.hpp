#pragma once

#include "contracts/proofs/merge_proof.hpp"
#include "tools/swarm-inspect/session.hpp"
#include "tools/swarm-inspect/text_table.hpp"

#include <filesystem>

/// Proofs of merge records, which are fetched from an SN and checked without one.
namespace swarm::inspect {

struct proof_request {
  std::string contract;
  std::uint64_t round_num = 0;
  std::optional<std::uint64_t> generation; ///< none: the latest that merged the round
  std::filesystem::path output;            ///< empty: a name made of contract and round, in this directory
};
/// Asks for a proof, checks it against the SN's own genesis block, writes it, and returns the file's path.
result<std::filesystem::path> write_proof(session& to, const proof_request& request);

/// Whom to trust, from the command line: addresses, a hash, or both. Errors are mistakes of the operator.
result<contracts::merge_trust> parse_trust(const std::vector<std::string>& validators,
                                           const std::string& genesis);

struct verified_proof {
  contracts::merge_proof proof;
  contracts::merge_place place;
};
/// Reads and checks a proof file. Errors say what does not hold.
result<verified_proof> verify_file(const std::filesystem::path& file, const contracts::merge_trust& trust);

/// What is proved, for a person.
std::string proof_view(const verified_proof& verified, const style& how);

} // namespace swarm::inspect
