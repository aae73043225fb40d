#pragma once

#include <string_view>

namespace swarm::consensus {

/// Why a message of consensus is refused, one code per rule. QBFT: the sections of the EEA specification that
/// the predicates of validation.hpp name.
enum class consensus_errc {
  version = 1,       ///< another version of the wire format
  unknown_code,      ///< neither proposal, prepare, commit nor round change
  too_large,         ///< over `message_size_max`
  too_many_items,    ///< over `ledger::seals_max` signatures in one list
  round_too_large,   ///< over `ledger::round_num_max`
  not_a_validator,   ///< signed by an account outside the height's set
  not_the_proposer,  ///< a proposal of somebody else than the round's proposer
  wrong_parent,      ///< a block that does not stand on the head
  wrong_coinbase,    ///< a fresh block not made by its proposer, or one made by no validator
  body_mismatch,     ///< transactions that are not those of the header's root
  repeated_author,   ///< two votes of one author in one list; signatures differ, authors count
  below_quorum,      ///< fewer authors than the quorum
  wrong_height,      ///< a vote inside a message for another height than the message's
  wrong_round,       ///< a vote inside a message for another round than the message's
  unjustified,       ///< a justification that is missing, or present where none is allowed
  prepared_round,    ///< prepared in a round that is not before the round aimed at
  prepared_mismatch, ///< block, digest and prepares that do not belong together
  not_highest,       ///< a block other than the one prepared in the highest round
  damaged_record,    ///< what was stored is unreadable
  record_is_there,   ///< a re-entry of a key whose record is whole
  wrong_block,       ///< a re-entry at another block than the one after the head
  wrong_making,      ///< a fresh block made in another round, or a prepared one made in a later round
};

constexpr std::string_view error_category(consensus_errc) {
  return "consensus";
}

} // namespace swarm::consensus
