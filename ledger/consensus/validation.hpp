#pragma once

#include "ledger/consensus/messages.hpp"
#include "ledger/consensus/signing.hpp"

namespace swarm::consensus {

/// The height that is being agreed on, against which messages are judged. It refers to its owner's fields.
struct height_view {
  const signing_domain& domain;
  std::uint64_t block_num;
  const hash32& parent_hash;
  const address& parent_proposer;
  std::span<const address> resting;    ///< of the validators, sorted
  std::span<const address> validators; ///< sorted
  std::size_t quorum;
  author_finder& authors;
  bool count_signatures = false; ///< a planted mistake, see planted_bugs
};

/// The block that an author was prepared on, with the proof: q prepares of one round.
struct certificate {
  std::uint64_t round_num = 0;
  proposed_block block;
  std::vector<signed_prepare> prepares;
};

// One predicate for each rule; the error's code names it. Cheap rules come before signatures.

/// Whose turn the round is.
const address& proposer_in(std::uint64_t round_num, const height_view& at);
/// The block stands on the head of this height.
result<> extends_head(const proposed_block& block, const height_view& at);
/// Whether the proposer was free to choose the block: nobody was prepared.
bool is_fresh(const proposal_message& item);
/// Signed by the proposer of its round.
result<> is_signed_by_proposer(const proposal_message& item, const height_view& at);
/// A fresh block is its proposer's own, made in this round; one that was prepared before was made by some validator of
/// the set, in an earlier round.
result<> has_lawful_coinbase(const proposal_message& item, const height_view& at);
/// No author twice, and at least a quorum of them.
result<> is_quorum_of_distinct_authors(std::span<const address> authors, const height_view& at);
/// q prepares of distinct validators for exactly this height, round and digest.
result<> is_valid_certificate(std::span<const signed_prepare> prepares, std::uint64_t round_num,
                              const hash32& digest, const height_view& at);
/// The claim, the block and the prepares are all there or all missing, belong together, and come from a round
/// before the one aimed at. Returns the author; checks the body of the block.
result<address> is_valid_round_change(round_change_message& item, const height_view& at);
/// q round changes of distinct validators for exactly this height and round, each prepared before it.
result<> are_valid_round_changes(std::span<const signed_round_change> votes, std::uint64_t round_num,
                                 const height_view& at);
/// The highest claim among `votes`, or null when nobody was prepared.
const prepared_claim* highest_prepared(std::span<const signed_round_change> votes);
/// Round 0 needs no justification and may carry none. A later round needs q round changes and a fresh block
/// if nobody was prepared, else the block of the highest claim with its q prepares.
result<> is_valid_proposal_justification(const proposal_message& item, const height_view& at);
/// All of the above, cheapest first, and the body of the block.
result<> is_valid_proposal(proposal_message& item, const height_view& at);

} // namespace swarm::consensus
