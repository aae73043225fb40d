#include "ledger/consensus/qbft_machine.hpp"

#include "base/assert.hpp"
#include "ledger/consensus/quorum.hpp"
#include "ledger/formats/turns.hpp"

namespace swarm::consensus {

namespace {

/// The most decided blocks that one neighbor is sent between two changes of the head.
constexpr std::size_t decided_sent_max = 4;

} // namespace

qbft_machine::qbft_machine(machine_options options, signature_scheme scheme)
    : options_(std::move(options)), scheme_(std::move(scheme)), authors_(scheme_.recover),
      park_(options_.parking) {}

std::vector<action> qbft_machine::step(event what) {
  std::visit([this](auto&& item) { on(std::forward<decltype(item)>(item)); }, std::move(what));
  take_inbox();
  flush();
  return std::exchange(actions_, {});
}

// Messages

void qbft_machine::on(message&& what) {
  SWARM_ASSERT(what.raw != nullptr);
  inbox_.push_back(std::move(what));
}

/// Takes the messages that arrived, and parked ones whose time has come. It never calls itself.
void qbft_machine::take_inbox() {
  while (!inbox_.empty()) {
    const auto next = std::move(inbox_.front());
    inbox_.pop_front();
    take_message(next.neighbor, next.raw);
  }
}

void qbft_machine::take_message(neighbor_id neighbor, const shared_bytes& raw) {
  auto head = read_head(*raw);
  if (!head) return blame(neighbor, std::move(head).error());
  count_late(*head);
  if (head->block_num < block_num()) return answer_laggard(neighbor, *head);
  if (head->block_num > block_num()) return take_early(neighbor, *head, raw);
  if (decided_ || !is_member()) return;
  switch (head->code) {
  case message_code::proposal:
    if (head->round_num >= round_num_) take_proposal(neighbor, *raw);
    return;
  case message_code::prepare:
    return take_prepare(neighbor, *head, raw);
  case message_code::commit:
    return take_commit(neighbor, *head, raw);
  case message_code::round_change:
    if (head->round_num >= round_num_) take_round_change(neighbor, *raw);
    return;
  case message_code::reentry:
    return take_reentry(neighbor, *raw);
  }
}

/// By what it says of itself: to look who signed it would cost more than it is worth.
void qbft_machine::count_late(const message_head& head) {
  const bool is_vote = head.code == message_code::prepare || head.code == message_code::commit;
  const bool is_over = head.block_num < block_num() || (head.block_num == block_num() && decided_);
  if (is_vote && is_over && is_member()) ++late_votes_;
}

void qbft_machine::take_early(neighbor_id neighbor, const message_head& head, const shared_bytes& raw) {
  const auto ahead = head.block_num - block_num();
  if (ahead <= options_.parking.heights_ahead_max) park_.add(neighbor, head.block_num, head.round_num, raw);
  if (decided_ && ahead == 1) return; // our own block is on its way to the disk
  auto& seen = attention_[neighbor];
  if (std::exchange(seen.sync_hinted, true)) return;
  actions_.emplace_back(request_sync{head.block_num - 1, neighbor});
}

/// Late votes for the last block are ordinary and need no answer. A round change or an older vote shows that
/// the neighbor lags.
void qbft_machine::answer_laggard(neighbor_id neighbor, const message_head& head) {
  if (head.block_num == 0) return;
  if (head.code != message_code::round_change && head.block_num + 1 >= block_num()) return;
  auto& seen = attention_[neighbor];
  if (seen.blocks_sent >= decided_sent_max) return;
  ++seen.blocks_sent;
  actions_.emplace_back(send_decided{neighbor, head.block_num});
}

// Other events

void qbft_machine::on(neighbor_connected what) {
  for (auto& raw : repeatable())
    actions_.emplace_back(send_to{what.neighbor, std::move(raw)});
}

void qbft_machine::on(neighbor_gone what) {
  park_.drop_neighbor(what.neighbor);
  attention_.erase(what.neighbor);
}

void qbft_machine::on(timer_fired what) {
  if (is_over() || what.timer.block_num != block_num()) return;
  if (what.timer.kind == timer_kind::reentry) return listened();
  if (!active_) return;
  if (what.timer.kind == timer_kind::round) {
    if (what.timer.round_num == round_num_) round_expired();
    return;
  }
  for (auto& raw : repeatable())
    actions_.emplace_back(broadcast{std::move(raw)});
  actions_.emplace_back(set_timer{{timer_kind::resend, block_num(), 0}, options_.resend_interval});
}

void qbft_machine::on(work_available) {
  if (decided_ || work_) return;
  work_ = true;
  if (!may_sign()) return;
  activate();
  try_propose();
}

void qbft_machine::on(block_built&& what) {
  if (decided_ || !building_ || what.block_num != block_num() || what.round_num != round_num_) return;
  building_ = false;
  if (!what.block) {
    work_ = false;
    return rest();
  }
  auto& block = *what.block;
  SWARM_ASSERT(block.block_num == block_num() && block.parent_hash == head_.hash
               && block.proposer == scheme_.account && (block.raw != nullptr || is_alone()));
  if (ballots_.contains(round_num_)) return;
  verdicts_[block.hash] = true;
  propose(std::move(block), std::exchange(justification_, {}), {});
}

void qbft_machine::on(block_validated what) {
  if (decided_ || what.block_num != block_num()) return;
  if (!what.early) verdicts_[what.hash] = what.ok; // else it is asked for again, as time goes on
  for (auto& [round_num, on] : ballots_) {
    if (on.block.hash != what.hash || on.validity != ballot::verdict::pending) continue;
    on.validity = what.ok ? ballot::verdict::good : ballot::verdict::bad;
    if (!what.ok)
      actions_.emplace_back(report{
          fmt::format("block {} of {} in round {} breaks a rule of the chain: this node does not vote for it",
                      block_num(), to_hex(on.block.proposer.view()), round_num)});
    const bool refused = what.early && on.fresh;
    if (what.ok && refused)
      actions_.emplace_back(report{fmt::format("block {} of {} in round {} is dated too far ahead of this "
                                               "node's clock, so this node does not vote "
                                               "for it; the clocks of validators must agree",
                                               block_num(), to_hex(on.block.proposer.view()), round_num)});
    if (what.ok && round_num == round_num_) {
      if (!refused) vote_prepare(on);
      check_prepared(on);
    }
    check_decided(round_num, on);
    if (decided_) return;
  }
}

void qbft_machine::on(persisted what) {
  SWARM_ASSERT(what.token <= last_token_);
  durable_token_ = std::max(durable_token_, what.token);
  while (!held_.empty() && held_.front().token <= durable_token_) {
    actions_.emplace_back(broadcast{std::move(held_.front().raw)});
    held_.pop_front();
  }
}

// Output

/// Stores a message of this node and sends it as soon as it is on disk.
void qbft_machine::say(std::string_view key, std::optional<own_message>& slot, const hash32& digest,
                       bytes raw) {
  if (is_alone()) return;
  auto shared = std::make_shared<const bytes>(std::move(raw));
  slot = own_message{digest, shared, last_token_ + 1};
  record(key, *shared);
  if (options_.planted.send_before_persist)
    actions_.emplace_back(broadcast{std::move(shared)});
  else
    unsent_.push_back(std::move(shared));
}

void qbft_machine::record(std::string_view key, bytes value) {
  if (is_alone()) return;
  const auto same =
      std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.key == key; });
  if (same != entries_.end())
    same->value = std::move(value);
  else
    entries_.push_back({key, std::move(value)});
}

/// All that the step must remember goes into one write. After a decision the block itself is that write: a
/// node that has stored it signs nothing else at its height.
void qbft_machine::flush() {
  if (is_over()) {
    entries_.clear();
    std::move(unsent_.begin(), unsent_.end(), std::back_inserter(after_block_));
    unsent_.clear();
  }
  if (entries_.empty()) return;
  ++last_token_;
  actions_.emplace_back(persist{last_token_, block_num(), std::exchange(entries_, {})});
  for (auto& raw : unsent_)
    held_.push_back({last_token_, std::move(raw)});
  unsent_.clear();
}

/// This node's messages of its round that are on disk.
std::vector<shared_bytes> qbft_machine::repeatable() const {
  std::vector<shared_bytes> out;
  if (decided_) return out;
  if (reentry_word_) out.push_back(reentry_word_);
  for (const auto* item : {&own_.round_change, &own_.proposal, &own_.prepare, &own_.commit})
    if (*item && (*item)->token <= durable_token_) out.push_back((*item)->raw);
  return out;
}

// What others ask

height_view qbft_machine::view() {
  return {options_.domain, block_num(),   head_.hash,
          head_.proposer,  head_.resting, validators_,
          quorum_,         authors_,      options_.planted.count_signatures};
}

bool qbft_machine::is_member() const {
  return is_validator(validators_, scheme_.account);
}

bool qbft_machine::may_sign() const {
  if (!is_member()) return false;
  return is_alone() || (!memory_lost_ && !saved_);
}

const address& qbft_machine::proposer() const {
  return ledger::proposer_of(validators_, head_.resting, head_.proposer, round_num_);
}

bool qbft_machine::is_my_turn() const {
  return proposer() == scheme_.account;
}

machine_status qbft_machine::status() const {
  machine_status out{.block_num = block_num(),
                     .round_num = round_num_,
                     .validator = is_member(),
                     .silent = is_member() && !may_sign(),
                     .reentering = reentry_.has_value(),
                     .work = work_,
                     .active = active_,
                     .decided = decided_.has_value(),
                     .proposer = proposer(),
                     .resting = head_.resting,
                     .quorum = quorum_,
                     .round_changes = authors_from_round(round_num_),
                     .parked_messages = park_.message_count(),
                     .parked_bytes = park_.byte_count(),
                     .late_votes = late_votes_};
  if (prepared_) out.prepared = prepared_claim{prepared_->round_num, prepared_->block.hash};
  const auto now = ballots_.find(round_num_);
  if (now != ballots_.end()) {
    out.prepares = now->second.prepares.size();
    out.commits = now->second.seals.size();
  }
  for (const auto& who : validators_) {
    const auto said = round_changes_.find(who);
    const bool heard =
        (said != round_changes_.end() && said->second.vote.round_num >= round_num_)
        || (now != ballots_.end() && (now->second.prepares.contains(who) || now->second.seals.contains(who)));
    if (!heard && who != scheme_.account) out.silent_validators.push_back(who);
  }
  return out;
}

} // namespace swarm::consensus
