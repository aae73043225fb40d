#include "ledger/consensus/qbft_machine.hpp"

namespace swarm::consensus {

namespace {

/// The number of rounds whose votes are still counted; older commits are no longer needed once later rounds
/// have passed.
constexpr std::size_t ballots_max = 4;

} // namespace

// Proposals

void qbft_machine::take_proposal(neighbor_id neighbor, bytes_view raw) {
  auto item = decode_proposal(raw);
  if (!item) return blame(neighbor, std::move(item).error());
  const auto first = ballots_.find(item->round_num);
  if (first != ballots_.end()) return take_second_proposal(neighbor, *item, first->second);
  use_known(item->block);
  if (auto valid = is_valid_proposal(*item, view()); !valid) return blame(neighbor, std::move(valid).error());
  accept(std::move(*item));
}

void qbft_machine::accept(const proposal_message& item) {
  if (item.round_num > round_num_) enter_round(item.round_num);
  auto& on = open_ballot(item.round_num, item.block);
  on.signature = item.signature;
  on.fresh = is_fresh(item);
  activate();
  for (auto& parked : park_.take(block_num(), round_num_))
    inbox_.push_back({parked.neighbor, std::move(parked.raw)});
  if (on.validity == ballot::verdict::good) {
    vote_prepare(on);
    check_prepared(on);
  } else if (on.validity == ballot::verdict::pending) {
    actions_.emplace_back(validate_block{on.block});
  }
}

qbft_machine::ballot& qbft_machine::open_ballot(std::uint64_t round_num, proposed_block block) {
  if (ballots_.size() >= ballots_max && !ballots_.contains(round_num)) ballots_.erase(ballots_.begin());
  auto& on = ballots_[round_num];
  if (const auto known = verdicts_.find(block.hash); known != verdicts_.end())
    on.validity = known->second ? ballot::verdict::good : ballot::verdict::bad;
  on.block = std::move(block);
  return on;
}

// Prepares

void qbft_machine::take_prepare(neighbor_id neighbor, const message_head& head, const shared_bytes& raw) {
  if (head.round_num < round_num_) return;
  const auto at = ballots_.find(head.round_num);
  if (at == ballots_.end()) return park_.add(neighbor, head.block_num, head.round_num, raw);
  auto vote = decode_prepare(*raw);
  if (!vote) return blame(neighbor, std::move(vote).error());
  auto& on = at->second;
  const bool stray = vote->digest != on.block.hash;
  if (stray ? !may_look_at_stray(on) : on.prepared) return;
  auto author = authors_.author_of(signed_digest(options_.domain, *vote), vote->signature, validators_);
  if (!author) return blame(neighbor, std::move(author).error());
  if (stray) return take_stray_prepare(on, *author, *vote);
  if (const auto other = on.stray_prepares.find(*author); other != on.stray_prepares.end())
    compare_prepares(other->second, *vote, *author);
  on.prepares.emplace(*author, *vote);
  check_prepared(on);
}

/// Sends a prepare for the current round. A prepare from before a restart is not replaced.
void qbft_machine::vote_prepare(ballot& on) {
  if (!may_sign()) return;
  signed_prepare vote{block_num(), round_num_, on.block.hash, {}};
  if (own_.prepare) {
    if (own_.prepare->digest != vote.digest) return;
    if (auto said = decode_prepare(*own_.prepare->raw)) on.prepares.emplace(scheme_.account, *said);
    return;
  }
  if (!is_alone()) { // nobody asks a lone validator for it
    const auto digest = signed_digest(options_.domain, vote);
    vote.signature = scheme_.sign(digest);
    authors_.add(digest, vote.signature, scheme_.account);
    say(record_key::prepare, own_.prepare, vote.digest, encode(vote));
  }
  on.prepares.emplace(scheme_.account, vote);
}

void qbft_machine::check_prepared(ballot& on) {
  if (on.prepared || on.validity != ballot::verdict::good || on.prepares.size() < quorum_) return;
  on.prepared = true;
  if (!options_.planted.lock_on_timeout_only) keep_certificate(on);
  vote_commit(on);
  check_decided(round_num_, on);
}

/// From now on every round change of this node at this height carries this proof, unless a later round yields
/// another. A node that has not voted does not need it.
void qbft_machine::keep_certificate(const ballot& on) {
  if (!may_sign() || is_alone()) return;
  certificate proof{round_num_, on.block, {}};
  for (const auto& [author, vote] : on.prepares)
    proof.prepares.push_back(vote);
  record(record_key::certificate, encode_certificate(block_num(), proof));
  prepared_ = std::move(proof);
}

// Commits

void qbft_machine::vote_commit(ballot& on) {
  if (!may_sign()) return;
  commit_message vote{block_num(), round_num_, on.block.hash, {}};
  if (own_.commit) {
    if (own_.commit->digest != vote.digest) return;
    if (auto said = decode_commit(*own_.commit->raw)) on.seals.emplace(scheme_.account, said->seal);
    return;
  }
  const auto digest = seal_digest(options_.domain, vote);
  vote.seal = scheme_.sign(digest);
  authors_.add(digest, vote.seal, scheme_.account);
  on.seals.emplace(scheme_.account, vote.seal);
  say(record_key::commit, own_.commit, vote.digest, encode(vote));
}

/// Commits of earlier rounds still count: what a quorum has sealed is final, whatever round it is now.
void qbft_machine::take_commit(neighbor_id neighbor, const message_head& head, const shared_bytes& raw) {
  const auto at = ballots_.find(head.round_num);
  if (at == ballots_.end()) {
    if (head.round_num >= round_num_) park_.add(neighbor, head.block_num, head.round_num, raw);
    return;
  }
  auto vote = decode_commit(*raw);
  if (!vote) return blame(neighbor, std::move(vote).error());
  auto& on = at->second;
  const bool stray = vote->digest != on.block.hash;
  if (stray && !may_look_at_stray(on)) return;
  auto author = authors_.author_of(seal_digest(options_.domain, *vote), vote->seal, validators_);
  if (!author) return blame(neighbor, std::move(author).error());
  if (stray) return take_stray_commit(on, *author, *vote);
  on.seals.emplace(*author, vote->seal);
  compare_commits(on, head.round_num, *author);
  check_decided(head.round_num, on);
}

void qbft_machine::check_decided(std::uint64_t round_num, ballot& on) {
  if (decided_ || on.seals.size() < quorum_ || on.validity == ballot::verdict::pending) return;
  if (on.validity == ballot::verdict::good) return decide(round_num, on);
  if (on.seals.size() == quorum_)
    actions_.emplace_back(
        report{fmt::format("a quorum has sealed block {} {}, which breaks a rule of the chain here",
                           block_num(), to_hex(on.block.hash.view()))});
}

/// Uses the copy of the block that is here already, so that there is one body in memory, which has
/// been checked.
void qbft_machine::use_known(proposed_block& block) const {
  for (const auto& [round_num, on] : ballots_)
    if (on.block.hash == block.hash) {
      block = on.block;
      return;
    }
  for (const auto& [author, known] : round_changes_)
    if (known.proof && known.proof->block.hash == block.hash) {
      block = known.proof->block;
      return;
    }
}

} // namespace swarm::consensus
