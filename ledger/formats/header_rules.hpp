#pragma once

#include "ledger/formats/header.hpp"

namespace swarm::ledger {

/// What makes a header invalid, one code per rule. YP: Yellow Paper 4.3.4, "Block Header Validity". Roots,
/// bloom and gas used are compared with the outcome of execution where the block is executed.
enum class header_errc {
  parent_hash = 1, ///< YP: names the hash of the parent
  block_num, ///< YP: the parent's number plus one; 0 for the genesis block; within 2^53 for JSON readers
  timestamp, ///< house (YP has "greater"): not before the parent's, nor therefore behind the median of the
             ///< last eleven; within 2^53 for JSON readers
  gas_limit, ///< house (YP lets it drift by 1/1024): the parent's, at least 5000 as in YP
  gas_used,  ///< YP: at most the gas limit
  extra_data_size, ///< YP: at most 32 bytes; house: a hash, except in the genesis block
  ommers_hash,     ///< QBFT: no ommers
  difficulty,      ///< QBFT: 1
  mix_hash,        ///< QBFT: the fixed mix hash
  nonce,           ///< house (QBFT: eight zero bytes): a round of consensus; the genesis block's is 0
  base_fee,        ///< house (instead of EIP-1559's update): always 0, a rule and not only a start value
  genesis_parent,  ///< YP: the genesis block names no parent
};

constexpr std::string_view error_category(header_errc) {
  return "header";
}

inline constexpr std::size_t extra_data_max = 32;
inline constexpr std::uint64_t gas_limit_min = 5000;
/// The largest number in a header: beyond it JSON numbers are no longer exact.
inline constexpr std::uint64_t header_number_max = (std::uint64_t{1} << 53) - 1;

/// The rules that one header alone can break.
result<> check_header_alone(const block_header& header);
/// All rules for `header` on top of `parent`, whose hash the caller has at hand.
result<> check_header(const block_header& header, const block_header& parent, const hash32& parent_hash);
/// Seconds by which a block may be ahead of a voter's clock.
inline constexpr std::uint64_t clock_lead_max = 5;
/// Whether a block is dated further ahead of the clock `now` than a voter takes. One that stands on a block
/// that is ahead already may have that one's time, so that clocks which were put back stop nothing. It is a
/// rule for votes alone: what a quorum has sealed was timely for honest validators.
bool is_early(const block_header& header, const block_header& parent, std::uint64_t now);
/// All rules for a genesis header.
result<> check_genesis_header(const block_header& header);

} // namespace swarm::ledger
