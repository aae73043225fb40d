#include "ledger/consensus/validation.hpp"

#include "ledger/consensus/quorum.hpp"
#include "ledger/formats/turns.hpp"

namespace swarm::consensus {

namespace {

/// The authors of `votes`, each verified; `what` names the list in errors.
template <class Vote>
result<std::vector<address>> authors_of(std::span<const Vote> votes, std::string_view what,
                                        const height_view& at) {
  // This comes before any signature is recovered, so that a flood of votes causes no work.
  if (votes.size() > at.validators.size() && !at.count_signatures)
    return fail(consensus_errc::repeated_author, "{} {} of {} validators", votes.size(), what,
                at.validators.size());
  if (votes.size() < at.quorum)
    return fail(consensus_errc::below_quorum, "{} {}, a quorum is {}", votes.size(), what, at.quorum);
  std::vector<address> out;
  for (const auto& vote : votes) {
    auto author = at.authors.author_of(signed_digest(at.domain, vote), vote.signature, at.validators);
    if (!author) return fail_with(std::move(author).error(), what);
    out.push_back(*author);
  }
  return out;
}

} // namespace

const address& proposer_in(std::uint64_t round_num, const height_view& at) {
  return ledger::proposer_of(at.validators, at.resting, at.parent_proposer, round_num);
}

result<> extends_head(const proposed_block& block, const height_view& at) {
  if (block.block_num == at.block_num && block.parent_hash == at.parent_hash) return {};
  return fail(consensus_errc::wrong_parent, "block {} on {} does not follow the head, block {} {}",
              block.block_num, to_hex(block.parent_hash.view()), at.block_num - 1,
              to_hex(at.parent_hash.view()));
}

result<> is_signed_by_proposer(const proposal_message& item, const height_view& at) {
  const auto digest = proposal_digest(at.domain, item.block_num, item.round_num, item.block.hash);
  SWARM_TRY(const address author, at.authors.author_of(digest, item.signature, at.validators));
  const auto& proposer = proposer_in(item.round_num, at);
  if (author == proposer) return {};
  return fail(consensus_errc::not_the_proposer, "proposal for block {} round {} of {}, it is {}'s turn",
              item.block_num, item.round_num, to_hex(author.view()), to_hex(proposer.view()));
}

bool is_fresh(const proposal_message& item) {
  return item.round_num == 0 || highest_prepared(item.round_changes) == nullptr;
}

result<> has_lawful_coinbase(const proposal_message& item, const height_view& at) {
  const bool fresh = is_fresh(item);
  const bool lawful = fresh ? item.block.proposer == proposer_in(item.round_num, at)
                            : is_validator(at.validators, item.block.proposer);
  const bool timely = fresh ? item.block.made_in == item.round_num : item.block.made_in < item.round_num;
  if (lawful && timely) return {};
  if (lawful)
    return fail(consensus_errc::wrong_making, "{} block {} proposed in round {} says that it was made in {}",
                fresh ? "fresh" : "prepared", item.block_num, item.round_num, item.block.made_in);
  return fail(consensus_errc::wrong_coinbase, "{} block {} has the coinbase {}", fresh ? "fresh" : "prepared",
              item.block_num, to_hex(item.block.proposer.view()));
}

result<> is_quorum_of_distinct_authors(std::span<const address> authors, const height_view& at) {
  if (authors.size() < at.quorum)
    return fail(consensus_errc::below_quorum, "{} authors, a quorum is {}", authors.size(), at.quorum);
  if (at.count_signatures) return {};
  std::vector<address> sorted(authors.begin(), authors.end());
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    return fail(consensus_errc::repeated_author, "{} is there twice", to_hex(twice->view()));
  return {};
}

result<> is_valid_certificate(std::span<const signed_prepare> prepares, std::uint64_t round_num,
                              const hash32& digest, const height_view& at) {
  for (const auto& vote : prepares) {
    if (vote.block_num != at.block_num)
      return fail(consensus_errc::wrong_height, "prepare for block {} in a certificate for block {}",
                  vote.block_num, at.block_num);
    if (vote.round_num != round_num)
      return fail(consensus_errc::wrong_round, "prepare of round {} in a certificate of round {}",
                  vote.round_num, round_num);
    if (vote.digest != digest)
      return fail(consensus_errc::prepared_mismatch, "prepare for {} in a certificate for {}",
                  to_hex(vote.digest.view()), to_hex(digest.view()));
  }
  SWARM_TRY(const auto authors, authors_of(prepares, "prepares", at));
  return is_quorum_of_distinct_authors(authors, at);
}

result<address> is_valid_round_change(round_change_message& item, const height_view& at) {
  const auto& vote = item.vote;
  if (vote.block_num != at.block_num)
    return fail(consensus_errc::wrong_height, "round change for block {}, not {}", vote.block_num,
                at.block_num);
  if (vote.round_num == 0) return fail(consensus_errc::wrong_round, "round change to round 0");
  if (vote.prepared.has_value() != item.block.has_value())
    return fail(consensus_errc::prepared_mismatch, "round change with a block or a claim, not both");
  if (!vote.prepared && !item.prepares.empty())
    return fail(consensus_errc::prepared_mismatch, "round change with prepares but without a claim");
  if (vote.prepared) {
    if (vote.prepared->round_num >= vote.round_num)
      return fail(consensus_errc::prepared_round, "round change to {}, prepared in {}", vote.round_num,
                  vote.prepared->round_num);
    if (item.block->hash != vote.prepared->digest)
      return fail(consensus_errc::prepared_mismatch, "round change prepared on {} with block {}",
                  to_hex(vote.prepared->digest.view()), to_hex(item.block->hash.view()));
    SWARM_CHECK(extends_head(*item.block, at));
  }
  SWARM_TRY(const address author,
            at.authors.author_of(signed_digest(at.domain, vote), vote.signature, at.validators));
  if (vote.prepared) {
    SWARM_CHECK(is_valid_certificate(item.prepares, vote.prepared->round_num, vote.prepared->digest, at));
    SWARM_CHECK(check_body(*item.block));
  }
  return author;
}

result<> are_valid_round_changes(std::span<const signed_round_change> votes, std::uint64_t round_num,
                                 const height_view& at) {
  for (const auto& vote : votes) {
    if (vote.block_num != at.block_num)
      return fail(consensus_errc::wrong_height, "round change for block {} in a proposal for block {}",
                  vote.block_num, at.block_num);
    if (vote.round_num != round_num)
      return fail(consensus_errc::wrong_round, "round change to {} in a proposal of round {}", vote.round_num,
                  round_num);
    if (vote.prepared && vote.prepared->round_num >= round_num)
      return fail(consensus_errc::prepared_round, "round change to {}, prepared in {}", round_num,
                  vote.prepared->round_num);
  }
  SWARM_TRY(const auto authors, authors_of(votes, "round changes", at));
  return is_quorum_of_distinct_authors(authors, at);
}

const prepared_claim* highest_prepared(std::span<const signed_round_change> votes) {
  const prepared_claim* out = nullptr;
  for (const auto& vote : votes)
    if (vote.prepared && (out == nullptr || vote.prepared->round_num > out->round_num)) out = &*vote.prepared;
  return out;
}

result<> is_valid_proposal_justification(const proposal_message& item, const height_view& at) {
  if (item.round_num == 0) {
    if (item.round_changes.empty() && item.prepares.empty()) return {};
    return fail(consensus_errc::unjustified, "a proposal of round 0 carries a justification");
  }
  SWARM_CHECK(are_valid_round_changes(item.round_changes, item.round_num, at));
  const auto* highest = highest_prepared(item.round_changes);
  if (highest == nullptr) {
    if (item.prepares.empty()) return {};
    return fail(consensus_errc::unjustified, "prepares for a fresh block");
  }
  // When two claims of one round are for different blocks, one is a lie, which no honest proposer passes on.
  for (const auto& vote : item.round_changes)
    if (vote.prepared && vote.prepared->round_num == highest->round_num
        && vote.prepared->digest != highest->digest)
      return fail(consensus_errc::prepared_mismatch, "two blocks prepared in round {}", highest->round_num);
  if (highest->digest != item.block.hash)
    return fail(consensus_errc::not_highest, "proposes {}, prepared was {} in round {}",
                to_hex(item.block.hash.view()), to_hex(highest->digest.view()), highest->round_num);
  return is_valid_certificate(item.prepares, highest->round_num, highest->digest, at);
}

result<> is_valid_proposal(proposal_message& item, const height_view& at) {
  SWARM_CHECK(extends_head(item.block, at));
  SWARM_CHECK(has_lawful_coinbase(item, at));
  SWARM_CHECK(is_signed_by_proposer(item, at));
  SWARM_CHECK(is_valid_proposal_justification(item, at));
  return check_body(item.block);
}

} // namespace swarm::consensus
