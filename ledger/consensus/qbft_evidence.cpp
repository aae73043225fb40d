#include "ledger/consensus/qbft_machine.hpp"

namespace swarm::consensus {

namespace {

bytes header_of(const proposed_block& block) {
  const auto from = ledger::rlp_reader::open(*block.raw, "proposed block");
  if (!from) return {};
  auto fields = *from;
  const auto header = fields.next("header");
  return header ? to_bytes(header->encoded) : bytes{};
}

} // namespace

/// An honest validator has no vote for another block of a round, so an author has at most two that matter.
bool qbft_machine::may_look_at_stray(ballot& on) {
  return on.strays_seen++ < 4 * validators_.size();
}

/// A second proposal is a repetition, or proves that the proposer says different things to different nodes.
void qbft_machine::take_second_proposal(neighbor_id neighbor, const proposal_message& item, ballot& first) {
  if (item.block.hash == first.block.hash || (first.rival && first.rival->hash == item.block.hash)) return;
  if (auto valid = extends_head(item.block, view()); !valid) return blame(neighbor, std::move(valid).error());
  if (auto valid = is_signed_by_proposer(item, view()); !valid)
    return blame(neighbor, std::move(valid).error());
  if (!first.rival) first.rival = rival_block{item.block.hash, header_of(item.block)};
  const auto digest = proposal_digest(options_.domain, item.block_num, item.round_num, item.block.hash);
  const auto author = authors_.author_of(digest, item.signature, validators_);
  if (author && first.signature)
    accuse(*author, message_code::proposal, item.round_num, {content_of(first.block.hash), *first.signature},
           {content_of(item.block.hash), item.signature});
  for (const auto& [voter, vote] : first.stray_commits)
    compare_commits(first, item.round_num, voter);
}

void qbft_machine::take_stray_prepare(ballot& on, const address& author, const signed_prepare& vote) {
  if (const auto known = on.prepares.find(author); known != on.prepares.end())
    return compare_prepares(known->second, vote, author);
  const auto [first, fresh] = on.stray_prepares.emplace(author, vote);
  if (!fresh) compare_prepares(first->second, vote, author);
}

void qbft_machine::compare_prepares(const signed_prepare& first, const signed_prepare& second,
                                    const address& author) {
  if (first.digest == second.digest || first.round_num != second.round_num) return;
  accuse(author, message_code::prepare, first.round_num, {content_of(first.digest), first.signature},
         {content_of(second.digest), second.signature});
}

void qbft_machine::take_stray_commit(ballot& on, const address& author, const commit_message& vote) {
  on.stray_commits.emplace(author, vote);
  compare_commits(on, vote.round_num, author);
}

/// A seal names no block number, so the proof needs the headers of both blocks.
void qbft_machine::compare_commits(const ballot& on, std::uint64_t round_num, const address& author) {
  const auto first = on.seals.find(author);
  const auto second = on.stray_commits.find(author);
  if (first == on.seals.end() || second == on.stray_commits.end() || !on.rival
      || on.rival->hash != second->second.digest || !on.block.raw)
    return;
  accuse(author, message_code::commit, round_num, {header_of(on.block), first->second},
         {on.rival->header, second->second.seal});
}

void qbft_machine::compare_round_changes(const signed_round_change& first, const signed_round_change& second,
                                         const address& author) {
  if (first.round_num != second.round_num || first.block_num != second.block_num
      || first.prepared == second.prepared)
    return;
  accuse(author, message_code::round_change, first.round_num, {content_of(first.prepared), first.signature},
         {content_of(second.prepared), second.signature});
}

void qbft_machine::accuse(const address& author, message_code kind, std::uint64_t round_num,
                          ledger::double_vote::vote first, ledger::double_vote::vote second) {
  if (std::find(accused_.begin(), accused_.end(), author) != accused_.end()) return;
  accused_.push_back(author);
  actions_.emplace_back(
      evidence{author, {kind, block_num(), round_num, std::move(first), std::move(second)}});
}

} // namespace swarm::consensus
