#include "ledger/consensus/qbft_machine.hpp"
#include "ledger/consensus/reentry.hpp"

namespace swarm::consensus {

/// The neighbors may have the block at which this node re-enters, or certificates for it. It hears them out
/// before it says anything.
void qbft_machine::listen_before(reentry_statement word) {
  memory_lost_ = true;
  const auto author = scheme_.recover(signed_digest(options_.domain, word), word.signature);
  if (word.parent_hash != head_.hash || !author || *author != scheme_.account) {
    actions_.emplace_back(report{fmt::format(
        "the operator's word that this validator votes again from block {} on is about another chain "
        "or key; it keeps silent",
        block_num())});
    return;
  }
  actions_.emplace_back(report{fmt::format(
      "this validator votes again from block {} on by its operator's word; first it listens to the "
      "others",
      block_num())});
  reentry_ = word;
  actions_.emplace_back(set_timer{{timer_kind::reentry, block_num(), 0}, options_.reentry_listening});
}

/// Enters the round of the operator's word, with the highest certificate that is known. As it is a quorum's,
/// anybody may claim it. Without work it goes on listening, as an idle chain is silent.
void qbft_machine::listened() {
  if (!reentry_ || decided_) return;
  if (!work_ && round_changes_.empty() && ballots_.empty()) {
    actions_.emplace_back(set_timer{{timer_kind::reentry, block_num(), 0}, options_.resend_interval});
    return;
  }
  const auto word = *std::exchange(reentry_, std::nullopt);
  memory_lost_ = false;
  const auto round_num = std::max(word.round_num, round_num_);
  for (const auto& [author, known] : round_changes_) {
    const bool usable = known.proof && known.proof->round_num < round_num && !options_.planted.reenters_deaf;
    if (usable && (!prepared_ || known.proof->round_num > prepared_->round_num)) prepared_ = known.proof;
  }
  if (prepared_) record(record_key::certificate, encode_certificate(block_num(), *prepared_));
  reentry_word_ = std::make_shared<const bytes>(encode(word));
  reentered_.push_back(scheme_.account);
  actions_.emplace_back(reentry_seen{scheme_.account, block_num()});
  actions_.emplace_back(broadcast{reentry_word_});
  enter_round(round_num);
  follow_faster();
  try_propose();
}

void qbft_machine::take_reentry(neighbor_id neighbor, bytes_view raw) {
  auto word = decode_reentry(raw);
  if (!word) return blame(neighbor, std::move(word).error());
  if (std::find(reentered_.begin(), reentered_.end(), word->account) != reentered_.end())
    return; // unverified
  auto author = authors_.author_of(signed_digest(options_.domain, *word), word->signature, validators_);
  if (!author) return blame(neighbor, std::move(author).error());
  if (*author != word->account)
    return blame(neighbor, make_error(consensus_errc::not_a_validator,
                                      fmt::format("a re-entry of {} that {} has signed",
                                                  to_hex(word->account.view()), to_hex(author->view()))));
  if (word->parent_hash != head_.hash)
    return blame(neighbor,
                 make_error(consensus_errc::wrong_parent,
                            fmt::format("a re-entry at block {} on {}, the head is {}", word->block_num,
                                        to_hex(word->parent_hash.view()), to_hex(head_.hash.view()))));
  reentered_.push_back(*author);
  actions_.emplace_back(reentry_seen{*author, word->block_num});
}

} // namespace swarm::consensus
