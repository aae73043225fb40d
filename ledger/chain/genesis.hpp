#pragma once

#include "ledger/formats/header.hpp"
#include "ledger/native_contract.hpp"
#include "ledger/state/state_overlay.hpp"

#include <vector>

namespace swarm::ledger {

/// "SW".
inline constexpr std::uint64_t default_chain_id = 0x5357;
inline constexpr std::uint64_t default_block_gas_limit = 100'000'000;
/// The largest gas limit of a block. Its gas bounds the size of its receipts; with more they might not fit
/// into `receipts_size_max`.
inline constexpr std::uint64_t block_gas_limit_max = 100'000'000;
/// Stands in the extra data of every block.
inline constexpr std::string_view extra_data_vanity = "swarmd";

/// Everything that, besides the native contracts, decides the genesis block. The same parameters give the
/// same hash everywhere.
struct genesis_params {
  std::uint64_t chain_id = default_chain_id;
  std::uint64_t timestamp = 0;
  std::uint64_t block_gas_limit = default_block_gas_limit;
  std::vector<address> validators; ///< 1 to `validators_max`, distinct, in any order
  /// The organisations of the chain, at most `founders_max`, in any order. Their names and anchors are distinct;
  /// each validator is of exactly one. None: a chain of no organisations, on which nobody can admit one.
  std::vector<founder> founders;
  std::uint64_t rules = rules_first; ///< the version in force from block 1 on
  bool operator==(const genesis_params&) const = default;
};

/// Checks the parameters; sorts the validators, the founders by name, and their anchors.
result<genesis_params> normalize(genesis_params params);

/// rlp[version, chain id, timestamp, gas limit, rules, [validator ...], [[name, [anchor ...], [validator ...]] ...]];
/// with the first rules `rules` is left out, as release 0.2 had it.
bytes encode_genesis(const genesis_params& params);
/// Fails with chain_errc::other_version when another swarmd's chains have such parameters.
result<genesis_params> decode_genesis(bytes_view raw);

struct genesis_block {
  block_header header;
  state_batch state;
};
/// Block 0 for normalized parameters. `empty` may be empty.
result<genesis_block> make_genesis(state_store& empty, const genesis_params& params,
                                   const native_contract_set& contracts);
/// The hash of the genesis block.
result<hash32> genesis_hash_of(const genesis_params& params, const native_contract_set& contracts);

/// The validators in the state, sorted; see `validators_account`.
result<std::vector<address>> read_validators(const state_view& state);

} // namespace swarm::ledger
