#pragma once

#include "actors/swci/commands/network.hpp"

#include <optional>

/// What GET MODEL and PROVE are about.
namespace swarm::swci {

struct merged_model {
  std::uint64_t round_num = 0;
  hash32 digest;
  std::uint64_t size = 0;
  std::vector<address> holders; ///< those that certainly had it first
  std::uint64_t block_num = 0;  ///< the chain was read at, or later
};
/// The merge of a round of this contract; without a round the newest one. Fails with errc::not_found.
result<merged_model> find_merge(network& sns, const std::string& contract,
                                std::optional<std::uint64_t> round_num);

/// The proof of a merge, as PROVE writes it into its file. It has been checked against the genesis block that the SN
/// names; whom to trust is for its readers to say.
result<std::string> merge_proof(network& sns, const std::string& contract, std::uint64_t round_num);

} // namespace swarm::swci
