#pragma once

#include "ledger/formats/header.hpp"
#include "ledger/formats/seal.hpp"

/// Proof that a validator signed two different things for one place, which no honest one does: anybody can
/// check it, contracts too.
namespace swarm::ledger {

/// What a validator signs, by its code on the wire (consensus/messages.hpp). A re-entry is no vote, and two
/// of them prove nothing.
enum class vote_kind : std::uint8_t {
  proposal = 0x12,
  prepare = 0x13,
  commit = 0x14,
  round_change = 0x15,
  reentry = 0x16
};
/// "proposal", "prepare", "commit", "round change", "re-entry".
std::string_view to_string(vote_kind kind);

/// Why something is no proof of a double vote.
enum class double_vote_errc {
  malformed = 1, ///< not an encoding of a double vote
  same,          ///< both votes are for the same
  other_place,   ///< a commit for a block of another number than the proof says
  two_authors,   ///< two validators signed one vote each
};

constexpr std::string_view error_category(double_vote_errc) {
  return "double vote";
}

/// The version of what is signed.
inline constexpr std::uint64_t vote_version = 1;

/// What is signed for a proposal, prepare or round change: keccak(rlp["swarm qbft", 1, chain id, genesis hash,
/// code, block_num, round, content]). `content` is an encoded item: the block hash, or of a round change what
/// its author was prepared on, [] or [round, block hash].
hash32 vote_digest(std::uint64_t chain_id, const hash32& genesis_hash, vote_kind kind,
                   std::uint64_t block_num, std::uint64_t round_num, bytes_view content);

struct double_vote {
  /// Of a commit, whose signature is a seal, `content` is the header of the block: it shows the block's number.
  struct vote {
    bytes content;
    signature65 signature;
  };
  vote_kind kind{};
  std::uint64_t block_num = 0;
  std::uint64_t round_num = 0;
  vote first;
  vote second;
};

inline constexpr std::size_t double_vote_size_max = 2048;

/// rlp[1, code, block_num, round, content, signature, content, signature], the contents as they are.
bytes encode_double_vote(const double_vote& item);
result<double_vote> decode_double_vote(bytes_view raw);

/// Checks that one account signed both votes and that they contradict each other. Returns that account.
result<address> check_double_vote(const double_vote& item, std::uint64_t chain_id, const hash32& genesis_hash,
                                  const author_recovery& recover_author = recover);

} // namespace swarm::ledger
