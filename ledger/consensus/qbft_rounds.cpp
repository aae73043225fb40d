#include "ledger/consensus/qbft_machine.hpp"
#include "ledger/consensus/quorum.hpp"
#include "ledger/consensus/reentry.hpp"

namespace swarm::consensus {

void qbft_machine::take_round_change(neighbor_id neighbor, bytes_view raw) {
  auto item = decode_round_change(raw);
  if (!item) return blame(neighbor, std::move(item).error());
  if (item->block) use_known(*item->block);
  auto author = is_valid_round_change(*item, view());
  if (!author) return blame(neighbor, std::move(author).error());
  auto& latest = round_changes_[*author];
  compare_round_changes(latest.vote, item->vote, *author);
  if (latest.vote.round_num >= item->vote.round_num) return;
  latest.vote = item->vote;
  latest.proof.reset();
  if (item->block)
    latest.proof =
        certificate{item->vote.prepared->round_num, std::move(*item->block), std::move(item->prepares)};
  follow_faster();
  try_propose();
}

/// When f + 1 authors are beyond this round, at least one of them is honest. So this node goes to the lowest
/// round of the f + 1 farthest authors, where repeatedly going to the lowest of all would also end.
void qbft_machine::follow_faster() {
  std::vector<std::uint64_t> rounds;
  for (const auto& [author, known] : round_changes_)
    if (known.vote.round_num > round_num_) rounds.push_back(known.vote.round_num);
  const auto needed = faults_tolerated(validators_.size()) + 1;
  if (rounds.size() < needed) return;
  std::sort(rounds.begin(), rounds.end(), std::greater<>{});
  enter_round(rounds[needed - 1]);
}

void qbft_machine::enter_round(std::uint64_t round_num) {
  round_num_ = round_num;
  building_ = false;
  justification_.clear();
  own_ = {};
  if (!may_sign()) return;
  say_round_change();
  if (active_)
    set_timers();
  else
    activate();
}

void qbft_machine::say_round_change() {
  round_change_message out;
  out.vote.block_num = block_num();
  out.vote.round_num = round_num_;
  if (prepared_) {
    out.vote.prepared = prepared_claim{prepared_->round_num, prepared_->block.hash};
    out.block = prepared_->block;
    out.prepares = prepared_->prepares;
  }
  const auto digest = signed_digest(options_.domain, out.vote);
  out.vote.signature = scheme_.sign(digest);
  authors_.add(digest, out.vote.signature, scheme_.account);
  round_changes_[scheme_.account] = {out.vote, prepared_};
  record(record_key::place,
         encode_place({scheme_.account, options_.domain.genesis_hash, block_num(), round_num_}));
  say(record_key::round_change, own_.round_change, {}, encode(out));
}

/// A timer leads beyond a later round only together with a quorum: a lonely node repeats its messages and
/// waits for the others where it is, instead of running ahead of them.
void qbft_machine::round_expired() {
  if (options_.planted.lock_on_timeout_only)
    if (const auto at = ballots_.find(round_num_); at != ballots_.end() && at->second.prepared)
      keep_certificate(at->second);
  const bool together = round_num_ == 0 || authors_from_round(round_num_) >= quorum_;
  if (!together || round_num_ == ledger::round_num_max) return set_timers();
  enter_round(next_round());
  follow_faster();
  try_propose();
}

/// Who re-enters is far ahead and never comes back. Where a quorum is there only with him, the others go to
/// him. A liar can lead them so, too, but only out of rounds that failed, and not so far that rounds run out.
std::uint64_t qbft_machine::next_round() const {
  const auto far = (round_num_ / reentry_stride + 1) * reentry_stride;
  const bool alone = round_num_ == 0 || far > reentry_round_max;
  if (alone || authors_from_round(round_num_) - authors_from_round(far) >= quorum_) return round_num_ + 1;
  return far;
}

std::size_t qbft_machine::authors_from_round(std::uint64_t round_num) const {
  std::size_t out = 0;
  for (const auto& [author, known] : round_changes_)
    if (known.vote.round_num >= round_num) ++out;
  return out;
}

// Proposing

void qbft_machine::try_propose() {
  if (decided_ || building_ || !may_sign() || !is_my_turn() || own_.proposal || ballots_.contains(round_num_))
    return;
  if (round_num_ > 0) {
    std::vector<signed_round_change> votes;
    for (const auto& [author, known] : round_changes_)
      if (known.vote.round_num == round_num_) votes.push_back(known.vote);
    if (votes.size() < quorum_) return;
    if (const auto* highest = highest_proof(votes))
      return propose(highest->proof->block, std::move(votes), highest->proof->prepares);
    justification_ = std::move(votes);
  }
  if (!work_) return;
  building_ = true;
  actions_.emplace_back(build_block{block_num(), round_num_, !is_alone()});
}

const qbft_machine::round_change_vote*
qbft_machine::highest_proof(std::span<const signed_round_change> votes) const {
  const auto* claim = highest_prepared(votes);
  if (claim == nullptr) return nullptr;
  for (const auto& [author, known] : round_changes_)
    if (known.vote.round_num == round_num_ && known.proof && known.proof->round_num == claim->round_num)
      return &known;
  return nullptr;
}

void qbft_machine::propose(proposed_block block, std::vector<signed_round_change> votes,
                           std::vector<signed_prepare> prepares) {
  proposal_message out{block_num(), round_num_, std::move(block), {}, std::move(votes), std::move(prepares)};
  if (!is_alone()) {
    const auto digest = proposal_digest(options_.domain, out.block_num, out.round_num, out.block.hash);
    out.signature = scheme_.sign(digest);
    authors_.add(digest, out.signature, scheme_.account);
    say(record_key::proposal, own_.proposal, out.block.hash, encode(out));
  }
  accept(std::move(out));
}

} // namespace swarm::consensus
