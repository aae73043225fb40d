#pragma once

#include "ledger/consensus/record.hpp"
#include "ledger/consensus/signing.hpp"

/// A validator that lost its record votes again by its operator's word, where so many lost theirs that no
/// quorum is left. docs/consensus.md says what the operators have to check, and what the word costs if it is
/// wrong.
namespace swarm::consensus {

/// Who re-enters begins in a round that is a multiple of this, beyond any that a key can have signed before:
/// at the longest timeout of a round so many take months. The timeouts of rounds begin anew there.
inline constexpr std::uint64_t reentry_stride = 100'000;
/// The last of these rounds: a key can re-enter so often at one block. The rounds beyond it are for those who
/// go on from there.
inline constexpr std::uint64_t reentry_round_max = 4 * reentry_stride;
static_assert(2 * reentry_round_max < ledger::round_num_max);

/// The chain at which a key re-enters, and what is stored there.
struct reentry_place {
  signing_domain domain;
  std::uint64_t head_num = 0;
  hash32 head_hash;
  std::vector<record_entry> stored;
};

/// What to write, in one batch, so that the key votes again from `block_num` on; signed with the key. Without
/// `round_num` it is the first round of re-entry after the last one that is stored. Refused are a block other
/// than the next one (wrong_block), a round that is none of re-entry or none after the stored one
/// (wrong_round), and a key whose record is whole (record_is_there); the texts say what to do. A certificate
/// that is still there stays.
result<std::vector<record_entry>> records_of_reentry(const reentry_place& at, const signature_scheme& scheme,
                                                     std::uint64_t block_num,
                                                     std::optional<std::uint64_t> round_num);

} // namespace swarm::consensus
