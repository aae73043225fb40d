#include "base/assert.hpp"
#include "ledger/consensus/qbft_machine.hpp"
#include "ledger/consensus/quorum.hpp"
#include "ledger/consensus/reentry.hpp"

namespace swarm::consensus {

void qbft_machine::on(start&& what) {
  auto loaded = load_records(what.records, scheme_.account, options_.domain.genesis_hash);
  if (!loaded)
    actions_.emplace_back(
        report{loaded.error().message + "; what is stored of this node's votes does not count"});
  const auto next = what.head.block_num + 1;
  // A record that is older than the chain does not count: the chain came from elsewhere, or was not written
  // together with its record.
  if (loaded && *loaded && (*loaded)->place.block_num >= next)
    saved_ = std::move(**loaded);
  else
    memory_lost_ = true;
  silent_through_ = next;
  begin_height(std::move(what.head), std::move(what.validators));
  note_silence();
}

/// Says it once, as soon as this node is a validator by the blocks that it has.
void qbft_machine::note_silence() {
  if (!memory_lost_ || reentry_ || !is_member() || is_alone() || std::exchange(silence_told_, true)) return;
  actions_.emplace_back(report{"this validator keeps silent: the record of its votes is missing or older "
                               "than the chain, so it cannot know what "
                               "it has signed. It votes again when it has seen a quorum decide a block after "
                               "those that it fetched. If so many "
                               "are silent that there is no quorum, see swarm-inspect re-enter"});
}

void qbft_machine::on(head_changed&& what) {
  if (what.head.block_num < block_num()) return;
  const bool own = decided_ && what.head.hash == *decided_;
  if (decided_ && !own && what.head.block_num == block_num())
    actions_.emplace_back(report{fmt::format("block {} was decided as {}, but the chain has {}", block_num(),
                                             to_hex(decided_->view()), to_hex(what.head.hash.view()))});
  for (auto& raw : after_block_)
    if (own) actions_.emplace_back(broadcast{std::move(raw)});
  after_block_.clear();
  if (memory_lost_ && !own) silent_through_ = std::max(silent_through_, what.head.block_num + 1);
  begin_height(std::move(what.head), std::move(what.validators));
  note_silence();
}

void qbft_machine::begin_height(chain_head head, std::vector<address> validators) {
  SWARM_ASSERT(!validators.empty() && std::is_sorted(validators.begin(), validators.end()));
  if (active_ && !decided_) {
    actions_.emplace_back(cancel_timer{timer_kind::round});
    actions_.emplace_back(cancel_timer{timer_kind::resend});
  }
  head_ = std::move(head);
  validators_ = std::move(validators);
  quorum_ = options_.planted.quorum_two_f_plus_one ? 2 * faults_tolerated(validators_.size()) + 1
                                                   : quorum_of(validators_.size());
  round_num_ = 0;
  work_ = building_ = active_ = false;
  justification_.clear();
  decided_.reset();
  ballots_.clear();
  round_changes_.clear();
  prepared_.reset();
  own_ = {};
  verdicts_.clear();
  accused_.clear();
  reentered_.clear();
  reentry_.reset();
  reentry_word_.reset();
  authors_.forget();
  attention_.clear();
  park_.drop_below(block_num());
  if (saved_ && saved_->place.block_num <= block_num()) {
    auto saved = std::move(*saved_);
    saved_.reset();
    if (saved.place.block_num == block_num() && is_member() && !is_alone()) restore(std::move(saved));
  }
  for (auto& item : park_.take(block_num(), ledger::round_num_max))
    inbox_.push_back({item.neighbor, std::move(item.raw)});
}

/// Goes on where this node was when it stopped at this height.
void qbft_machine::restore(saved_height saved) {
  if (saved.prepared) restore_certificate(*saved.prepared);
  if (saved.reentry && saved.round_change.empty()) return listen_before(*saved.reentry);
  if (saved.reentry) reentry_word_ = std::make_shared<const bytes>(encode(*saved.reentry));
  round_num_ = saved.place.round_num;
  restore_votes(saved);
  const bool complete = round_num_ == 0 || own_.round_change;
  if (!complete || memory_lost_) {
    memory_lost_ = true;
    own_ = {};
    actions_.emplace_back(report{"the record of consensus is incomplete; this node keeps silent"});
    return;
  }
  for (auto& raw : repeatable())
    actions_.emplace_back(broadcast{std::move(raw)});
  if (round_num_ > 0 || own_.proposal || own_.prepare) activate();
}

void qbft_machine::restore_certificate(const certificate& proof) {
  prepared_ = proof;
  prepared_->block.body_checked = true;
  verdicts_[proof.block.hash] = true;
  auto& on = open_ballot(proof.round_num, prepared_->block);
  on.prepared = true;
  for (const auto& vote : proof.prepares)
    if (auto author = authors_.author_of(signed_digest(options_.domain, vote), vote.signature, validators_))
      on.prepares.emplace(*author, vote);
}

/// Restores this node's messages of the saved round; those of earlier rounds no longer matter.
void qbft_machine::restore_votes(const saved_height& saved) {
  const auto keep = [&](const bytes& raw, const hash32& digest) {
    return own_message{digest, std::make_shared<const bytes>(raw), 0};
  };
  if (!saved.round_change.empty()) {
    auto item = decode_round_change(saved.round_change);
    if (!item) {
      memory_lost_ = true;
    } else if (item->vote.round_num == round_num_) {
      own_.round_change = keep(saved.round_change, {});
      std::optional<certificate> proof;
      if (item->block) {
        use_known(*item->block);
        item->block->body_checked = true;
        proof = certificate{item->vote.prepared->round_num, *item->block, std::move(item->prepares)};
      }
      round_changes_.emplace(scheme_.account, round_change_vote{item->vote, std::move(proof)});
    }
  }
  if (!saved.prepare.empty()) {
    auto vote = decode_prepare(saved.prepare);
    if (!vote)
      memory_lost_ = true;
    else if (vote->round_num == round_num_)
      own_.prepare = keep(saved.prepare, vote->digest);
  }
  if (!saved.commit.empty()) {
    auto vote = decode_commit(saved.commit);
    if (!vote) {
      memory_lost_ = true;
    } else if (vote->round_num == round_num_) {
      own_.commit = keep(saved.commit, vote->digest);
      if (const auto at = ballots_.find(round_num_); at != ballots_.end())
        at->second.seals.emplace(scheme_.account, vote->seal);
    }
  }
  if (!saved.proposal.empty()) {
    auto item = decode_proposal(saved.proposal);
    if (!item) {
      memory_lost_ = true;
    } else if (item->round_num == round_num_) {
      own_.proposal = keep(saved.proposal, item->block.hash);
      item->block.body_checked = true;
      if (!ballots_.contains(round_num_)) accept(std::move(*item));
    }
  }
}

void qbft_machine::activate() {
  if (active_ || is_alone() || !may_sign()) return;
  active_ = true;
  set_timers();
  actions_.emplace_back(set_timer{{timer_kind::resend, block_num(), 0}, options_.resend_interval});
}

/// There was no work after all: the machine goes back to silence, unless the height has begun.
void qbft_machine::rest() {
  if (!active_ || round_num_ > 0 || !ballots_.empty() || own_.prepare) return;
  active_ = false;
  actions_.emplace_back(cancel_timer{timer_kind::round});
  actions_.emplace_back(cancel_timer{timer_kind::resend});
}

void qbft_machine::set_timers() {
  actions_.emplace_back(set_timer{{timer_kind::round, block_num(), round_num_}, round_timeout()});
}

duration qbft_machine::round_timeout() const {
  const bool reentered = round_num_ < reentry_round_max + reentry_stride;
  const auto counted = reentered ? round_num_ % reentry_stride : round_num_;
  const auto doublings = std::min<std::uint64_t>(counted, options_.round_timeout_doublings_max);
  return options_.round_timeout_base * (std::uint64_t{1} << doublings);
}

/// The quorum of seals ends the height in one step: nothing that is still under way may be answered any more.
void qbft_machine::decide(std::uint64_t round_num, ballot& on) {
  decided_ = on.block.hash;
  if (active_) {
    actions_.emplace_back(cancel_timer{timer_kind::round});
    actions_.emplace_back(cancel_timer{timer_kind::resend});
  }
  if (memory_lost_ && block_num() >= silent_through_) memory_lost_ = false;
  commit_block out;
  out.block = on.block;
  out.seals.round_num = round_num;
  for (const auto& [author, seal] : on.seals)
    out.seals.seals.push_back({seal});
  out.entries = records_with_block(block_num());
  actions_.emplace_back(std::move(out));
}

std::vector<record_entry> qbft_machine::records_with_block(std::uint64_t block_num) const {
  if (memory_lost_ || (saved_ && saved_->place.block_num > block_num)) return {};
  return {
      {record_key::place, encode_place({scheme_.account, options_.domain.genesis_hash, block_num + 1, 0})}};
}

} // namespace swarm::consensus
