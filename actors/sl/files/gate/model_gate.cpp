#include "actors/sl/files/gate/model_gate.hpp"

#include "contracts/training/dealt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace swarm::gate {

using action::verdict;
using contracts::node_type;
using contracts::peer_state;
using contracts::round_phase;

namespace {

const contracts::peer_view* peer_of(const training_reading& training, const address& account) {
  const auto found = std::ranges::find(training.peers, account, &contracts::peer_view::account);
  return found == training.peers.end() ? nullptr : &*found;
}

bool is_checked(round_phase phase) {
  return phase == round_phase::verifying || phase == round_phase::disputed;
}

/// What `who` needs of each model to check the proposal; none: all of it.
std::optional<std::vector<std::uint64_t>> dealt_to(const training_reading& training, const address& who) {
  const auto& [proposal, checks] = std::tie(training.proposal, training.checks);
  const bool disputed = training.head.phase == round_phase::disputed;
  const auto seat = std::ranges::find(checks.seats, who, &contracts::seat_view::peer);
  if (!disputed && (checks.attempt == 0 || seat == checks.seats.end())) return std::vector<std::uint64_t>{};
  // To see that a model was left out for a reason takes all of all models.
  const bool looks_at_all = std::ranges::any_of(proposal.reasons, [](contracts::exclusion_reason why) {
    return why != contracts::exclusion_reason::not_available;
  });
  if (looks_at_all || checks.chunks <= 1) return std::nullopt;
  if (disputed && checks.kind == contracts::challenge_kind::exclusion) return std::nullopt;
  if (disputed) return contracts::chunks_to_judge(training.head, proposal, checks.number);
  auto dealt = contracts::chunks_dealt_to(checks, proposal, training.shards, who);
  if (dealt.size() == checks.chunks) return std::nullopt;
  return dealt;
}

/// Whether `who` contributes to the round.
bool has_brought(const training_reading& training, const address& who) {
  const auto in = std::ranges::find(training.check_ins, who, &contracts::check_in_view::peer);
  return in != training.check_ins.end() && in->weightage > 0 && !in->digest.is_zero();
}

/// The chunks of the merge that `who` makes; none while that is not done in shards.
std::vector<std::uint64_t> shard_of(const training_reading& training, const address& who) {
  const auto& shards = training.shards;
  const auto found = std::ranges::find(shards.shards, who, &contracts::shard_view::maker);
  if (!shards.open || shards.size == 0 || found == shards.shards.end()) return {};
  const auto plan = contracts::plan_of(shards.size, static_cast<std::uint32_t>(shards.shards.size()));
  const auto run = plan.chunks_of(static_cast<std::uint32_t>(found - shards.shards.begin()));
  std::vector<std::uint64_t> out(run.count);
  std::iota(out.begin(), out.end(), run.first);
  return out;
}

} // namespace

// What it is told

void model_gate::step(const event::training_followed& news, time_point) {
  followed_ = news.name;
}

void model_gate::step(const event::merge_seen& news, time_point) {
  block_num_ = std::max(block_num_, news.block_num);
  learn(news.training, news.digest);
}

const model_gate::merge* model_gate::find_merge(const hash32& digest) const {
  const auto found = std::ranges::find(merges_, digest, &merge::digest);
  return found == merges_.end() ? nullptr : &*found;
}

void model_gate::learn(const std::string& training, const hash32& digest) {
  const auto* known = find_merge(digest);
  if (digest.is_zero() || (known != nullptr && known->training == training)) return;
  std::erase_if(merges_, [&](const merge& each) { return each.digest == digest; });
  if (merges_.size() >= merges_max) merges_.erase(merges_.begin());
  merges_.push_back({digest, training});
  act(action::keep_merges{});
}

// Who asks

void model_gate::step(const event::asked& news, time_point now) {
  const auto* known = find_merge(news.digest);
  const auto& training = known == nullptr ? followed_ : known->training;
  if (!news.who.account) return answer(news, {verdict::refused, "it does not say which account it is"}, now);
  if (training.empty())
    return answer(news, {verdict::unknown, "this node takes part in no training that has this model"}, now);
  if (refused_.must_wait(news.who.certificate, now))
    return answer(news, {verdict::later, "it was refused too often just now"}, now);
  if (!has_room_for(news.who.certificate))
    return answer(news, {verdict::later, "too many wait for an answer"}, now);
  open_question question{.from = news, .training = training, .due = now + answer_max};
  if (settle(question, now)) return;
  look(question, now);
  waiting_.emplace(news.id, std::move(question));
}

bool model_gate::has_room_for(const hash32& certificate) const {
  if (waiting_.size() >= waiting_max) return false;
  const auto its = std::ranges::count_if(
      waiting_, [&](const auto& each) { return each.second.from.who.certificate == certificate; });
  return static_cast<std::size_t>(its) < waiting_per_certificate_max;
}

bool model_gate::is_fresh(std::uint64_t block_num, time_point at, time_point now) const {
  return block_num >= block_num_ && now - at < reading_age_max;
}

/// Answers by what is known of the chain; false when that is not enough.
bool model_gate::settle(open_question& question, time_point now) {
  const auto training = trainings_.find(question.training);
  const auto node = nodes_.find(*question.from.who.account);
  if (training == trainings_.end() || node == nodes_.end()) return false;
  const auto& [reading, block_num, at] = training->second;
  if (!is_fresh(block_num, at, now) || !is_fresh(node->second.block_num, node->second.at, now)) return false;
  const auto how = judge(question, reading, node->second.what);
  // The asker may know of a block that has not come here, such as the one that made it the leader.
  const auto seen = std::min(block_num, node->second.block_num);
  if (how.verdict != verdict::granted && seen < question.from.who.block_num) return false;
  answer(question.from, how, now);
  return true;
}

/// Has the chain read for a question, unless that is under way for another one.
void model_gate::look(open_question& question, time_point now) {
  question.again.reset();
  const auto& account = *question.from.who.account;
  std::erase_if(reading_, [&](const auto& each) { return now - each.second.since >= answer_max; });
  const bool is_under_way = std::ranges::any_of(reading_, [&](const auto& each) {
    return each.second.training == question.training && each.second.account == account;
  });
  if (is_under_way) return;
  if (reading_.size() >= readings_max) return question.put_off(now);
  reading_.emplace(next_reading_, open_reading{question.training, account, now});
  act(action::read_chain{next_reading_++, question.training, account});
}

void model_gate::step(const event::chain_read& news, time_point now) {
  const auto asked = reading_.extract(news.id);
  if (asked.empty()) return;
  const auto& [training, account, since] = asked.mapped();
  if (news.outcome) take_reading(training, account, *news.outcome, now);
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    auto& question = at->second;
    const bool is_its = question.training == training && *question.from.who.account == account;
    if (is_its && news.outcome && settle(question, now)) {
      at = waiting_.erase(at);
      continue;
    }
    if (is_its && !question.again) question.put_off(now);
    ++at;
  }
}

void model_gate::take_reading(const std::string& training, const address& account,
                              const chain_reading& reading, time_point now) {
  if (reading.block_num >= block_num_) {
    behind_since_.reset();
  } else if (!behind_since_) {
    behind_since_ = now;
  } else if (now - *behind_since_ >= chain_lost) {
    block_num_ = 0;
    trainings_.clear();
    nodes_.clear();
  }
  block_num_ = std::max(block_num_, reading.block_num);
  const auto is_old = [now](const auto& each) { return now - each.second.at >= reading_age_max; };
  std::erase_if(trainings_, is_old);
  if (nodes_.size() >= nodes_max) std::erase_if(nodes_, is_old);
  if (nodes_.size() >= nodes_max) nodes_.clear();
  trainings_[training] = {reading.training, reading.block_num, now};
  nodes_[account] = {reading.node, reading.block_num, now};
  learn(training, reading.training.head.merged_digest);
}

void model_gate::step(const event::tick&, time_point now) {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    auto& question = at->second;
    if (now >= question.due) {
      answer(question.from, {verdict::later, "the chain cannot be asked now, or has not come so far"}, now);
      at = waiting_.erase(at);
      continue;
    }
    if (question.again && now >= *question.again) look(question, now);
    ++at;
  }
}

std::optional<time_point> model_gate::wake_at() const {
  std::optional<time_point> out;
  for (const auto& [id, question] : waiting_) {
    const auto due = question.again ? std::min(*question.again, question.due) : question.due;
    if (!out || due < *out) out = due;
  }
  return out;
}

// The rules

model_gate::judgement model_gate::judge(const open_question& question, const training_reading& training,
                                        const contracts::node_view& node) const {
  const auto& from = question.from;
  if (node.account != *from.who.account || !node.active)
    return {verdict::refused, "its account is not registered"};
  if (node.identity != from.who.certificate)
    return {verdict::refused, "its account is registered with another certificate"};
  if (from.what == wanted::progress) return judge_progress(training, node);
  if (from.what == wanted::shard) return judge_merge(from, training, node);
  const auto* known = find_merge(from.digest);
  const bool is_merge = known != nullptr && known->training == question.training;
  const bool is_proposed = is_checked(training.head.phase) && training.proposal.digest == from.digest;
  if (is_merge || is_proposed || training.head.merged_digest == from.digest)
    return judge_merge(from, training, node);
  if (auto how = judge_input(from, training)) return *how;
  return judge_own(from, training);
}

model_gate::judgement model_gate::judge_progress(const training_reading& training,
                                                 const contracts::node_view& node) const {
  if (node.type == node_type::swci || peer_of(training, node.account) != nullptr)
    return {verdict::granted, {}};
  return {verdict::refused, "the progress of a merge is for the peers of its training and for SWCIs"};
}

model_gate::judgement model_gate::judge_merge(const event::asked& from, const training_reading& training,
                                              const contracts::node_view& node) const {
  if (node.type == node_type::swci) return {verdict::granted, {}};
  const auto* peer = peer_of(training, node.account);
  if (peer == nullptr)
    return {verdict::refused, "a merged model is for the peers of its training and for SWCIs"};
  // A peer that leaves because its model is another one is told in what it differs.
  if (peer->state == peer_state::left && from.what != wanted::layout)
    return {verdict::refused, "it has left the training"};
  if (peer->state == peer_state::odd && from.what != wanted::layout)
    return {verdict::refused, "it asks for other parameters than those of the training"};
  return {verdict::granted, {}};
}

/// While a proposal is checked, those who contributed may look at what it was made of: at what is dealt to them, and at
/// what is challenged. They get it from who brought it and from the leader, who has to have it. One that is said not to be
/// available shows all of it.
std::optional<model_gate::judgement> model_gate::judge_input(const event::asked& from,
                                                             const training_reading& training) const {
  if (!is_checked(training.head.phase) || from.digest.is_zero() || from.what != wanted::model)
    return std::nullopt;
  const bool is_input = std::ranges::any_of(training.check_ins, [&](const auto& in) {
    return in.weightage > 0 && in.digest == from.digest
           && (in.peer == self_ || training.head.leader == self_);
  });
  if (!is_input) return std::nullopt;
  if (!has_brought(training, *from.who.account))
    return judgement{verdict::refused,
                     fmt::format("the models of round {} are for those who contributed to it "
                                 "while its merge is checked",
                                 training.head.round_num)};
  judgement out{verdict::granted, {}, {}, dealt_to(training, *from.who.account)};
  if (out.chunks && out.chunks->empty())
    return judgement{verdict::refused,
                     fmt::format("nothing of the merge of round {} is dealt to it to be checked",
                                 training.head.round_num)};
  const auto& left_out = training.proposal.excluded;
  if (std::ranges::find(left_out, self_) != left_out.end()) out.chunks.reset();
  return out;
}

model_gate::judgement model_gate::judge_own(const event::asked& from,
                                            const training_reading& training) const {
  const auto in = std::ranges::find(training.check_ins, self_, &contracts::check_in_view::peer);
  const bool has_model = in != training.check_ins.end() && in->weightage > 0 && !from.digest.is_zero();
  // Nobody gets a model before its digest is revealed, but all models of a round have the same layout.
  const bool is_committed = has_model && from.what == wanted::layout && in->commitment == from.digest;
  if (is_committed && peer_of(training, *from.who.account) != nullptr)
    return {verdict::granted, {}, training.head.layout_digest};
  if (!is_committed && !(has_model && in->digest == from.digest))
    return {verdict::unknown, "it is neither a merged model nor the one that this node brought to the round"};
  const auto& head = training.head;
  const auto& account = *from.who.account;
  if (from.what == wanted::layout && peer_of(training, account) != nullptr) return {verdict::granted, {}};
  if (head.phase != round_phase::merging)
    return {verdict::refused, fmt::format("round {} is not being merged", head.round_num)};
  const bool merges =
      head.leader == account
      || (has_brought(training, account) && contracts::is_merged_by_all(head, training.check_ins, in->size));
  if (!merges)
    if (auto own_shard = shard_of(training, account); !own_shard.empty())
      return {verdict::granted, {}, {}, std::move(own_shard)};
  if (!merges)
    return {verdict::refused,
            fmt::format("the model of a single peer is for the leader of round {}, which is {}",
                        head.round_num, to_hex(head.leader.view()))};
  return {verdict::granted, {}};
}

void model_gate::answer(const event::asked& to, const judgement& how, time_point now) {
  if (how.verdict == verdict::refused || how.verdict == verdict::unknown)
    if (auto line = refused_.add(
            to.who,
            fmt::format("{}: {}", to.what == wanted::progress ? "progress" : to_hex(to.digest.view()),
                        how.why),
            now))
      act(action::note{std::move(*line)});
  act(action::answer{to.id, how.verdict, how.why, how.layout, how.chunks});
}

} // namespace swarm::gate
