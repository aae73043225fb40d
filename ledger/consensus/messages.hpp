#pragma once

#include "ledger/consensus/block_facts.hpp"
#include "ledger/consensus/rules.hpp"
#include "ledger/formats/double_vote.hpp"

#include <optional>

namespace swarm::consensus {

using ledger::signature65;

/// The messages of QBFT on the wire, RLP, integers canonical:
///
///   proposal      [1, 0x12, block_num, round, block, signature, [round change ...], [prepare ...]]
///   prepare       [1, 0x13, block_num, round, digest, signature]
///   commit        [1, 0x14, block_num, round, digest, seal]
///   round change  [1, 0x15, block_num, round, prepared, signature, block or empty, [prepare ...]]
///   re-entry      [1, 0x16, block_num, round, parent hash, account, signature]
///
/// `block` is the string rlp[header, txns, ommers, parent's seals]; digest is the block hash, which does not depend on round
/// or seals. Inside lists a prepare is [block_num, round, digest, signature] and a round change [block_num,
/// round, prepared, signature]; prepared is [] or [round, digest].
///
/// What is signed is the `vote_digest` of formats/double_vote.hpp. Its content is the digest, `prepared`, or
/// [parent hash, account]. A commit has no signature but its seal (formats/seal.hpp): it binds block hash and
/// round, and through the hash the height.
using message_code = ledger::vote_kind;

inline constexpr std::uint64_t wire_version = 1;
/// Bytes of the largest message: a block, and two lists of a signature per validator.
inline constexpr std::size_t message_size_max = ledger::block_size_max + 128 * 1024;

/// What every signature is bound to besides its message.
struct signing_domain {
  std::uint64_t chain_id = 0;
  hash32 genesis_hash;
};

/// "I would accept this block in this round."
struct signed_prepare {
  std::uint64_t block_num = 0;
  std::uint64_t round_num = 0;
  hash32 digest;
  signature65 signature;
  bool operator==(const signed_prepare&) const = default;
};

/// The round and block that an author was prepared on.
struct prepared_claim {
  std::uint64_t round_num = 0;
  hash32 digest;
  bool operator==(const prepared_claim&) const = default;
};

/// "I am in this round, and this is the highest I was prepared on."
struct signed_round_change {
  std::uint64_t block_num = 0;
  std::uint64_t round_num = 0;
  std::optional<prepared_claim> prepared;
  signature65 signature;
  bool operator==(const signed_round_change&) const = default;
};

struct proposal_message {
  std::uint64_t block_num = 0;
  std::uint64_t round_num = 0;
  proposed_block block; ///< its body is not checked yet
  signature65 signature;
  std::vector<signed_round_change> round_changes;
  std::vector<signed_prepare> prepares;
};

struct commit_message {
  std::uint64_t block_num = 0;
  std::uint64_t round_num = 0;
  hash32 digest;
  signature65 seal;
};

struct round_change_message {
  signed_round_change vote;
  std::optional<proposed_block> block; ///< its body is not checked yet
  std::vector<signed_prepare> prepares;
};

/// The word of a validator's operator that its key may vote again from this block on, although its record is
/// lost. It binds nobody and proves nothing; others show it to their operators.
struct reentry_statement {
  std::uint64_t block_num = 0;
  std::uint64_t round_num = 0; ///< the key votes in no earlier round of that block
  hash32 parent_hash;
  address account;
  signature65 signature;
  bool operator==(const reentry_statement&) const = default;
};

/// The first fields of any message, read without decoding the rest.
struct message_head {
  message_code code{};
  std::uint64_t block_num = 0;
  std::uint64_t round_num = 0;
};
result<message_head> read_head(bytes_view raw);

hash32 proposal_digest(const signing_domain& domain, std::uint64_t block_num, std::uint64_t round_num,
                       const hash32& block_hash);
hash32 signed_digest(const signing_domain& domain, const signed_prepare& vote);
hash32 signed_digest(const signing_domain& domain, const signed_round_change& vote);
hash32 signed_digest(const signing_domain& domain, const reentry_statement& word);
hash32 seal_digest(const signing_domain& domain, const commit_message& vote);

/// What a vote says, as a proof of a double vote has it.
bytes content_of(const hash32& block_hash);
bytes content_of(const std::optional<prepared_claim>& claim);

bytes encode(const proposal_message& item);
bytes encode(const signed_prepare& item);
bytes encode(const commit_message& item);
bytes encode(const round_change_message& item);
bytes encode(const reentry_statement& item);

/// Decoding is strict: there is one encoding per meaning, sizes and counts are bounded. The header of the
/// block is decoded, but nothing is verified.
result<proposal_message> decode_proposal(bytes_view raw);
result<signed_prepare> decode_prepare(bytes_view raw);
result<commit_message> decode_commit(bytes_view raw);
result<round_change_message> decode_round_change(bytes_view raw);
result<reentry_statement> decode_reentry(bytes_view raw);

/// Writes a list of prepares into another encoding, for records.
void put_prepares_into(ledger::rlp_writer& out, std::span<const signed_prepare> prepares);
result<std::vector<signed_prepare>> take_prepares_from(ledger::rlp_reader& from);

} // namespace swarm::consensus
