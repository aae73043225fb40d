#include "contracts/training/verification.hpp"

#include <algorithm>
#include <map>

// A proposal is challenged, and those who contribute judge it.
namespace swarm::contracts {

std::uint64_t verification::bytes_to_judge() const {
  const auto& checking = state_.checking();
  const auto size = model_size();
  if (checking.kind == challenge_kind::exclusion) return size;
  const auto part = proposed_shards() > 0 ? shard_board(state_).plan().unit_chunks() : 1;
  return state_.counts.contributors * (chunks() == 1 ? size : std::min(size, part * model_chunk_bytes));
}

std::uint16_t verification::author_of(challenge_kind kind, std::uint64_t number) const {
  if (kind != challenge_kind::chunk || proposed_shards() == 0) return state_.counts.leader;
  const shard_board board(state_);
  const auto plan = board.plan();
  return board.author_of(number < plan.chunks() ? plan.place_of_chunk(number)
                                                : plan.place_of_unit(number - plan.chunks()));
}

std::optional<peer_sets> verification::sayers(challenge_kind kind, std::uint64_t number) const {
  if (kind == challenge_kind::unserved) return peer_sets::unserved;
  if (kind == challenge_kind::chunk) return std::nullopt;
  const auto reason = state_.merge(state_.round.round_num).excluded.at(number).reason;
  if (reason == exclusion_reason::not_available) return peer_sets::available;
  return std::nullopt;
}

void verification::dispute(std::uint16_t challenger, challenge_kind kind, std::uint32_t number) {
  auto& round = state_.round;
  auto& checking = state_.checking();
  checking.kind = kind;
  checking.number = number;
  checking.challenger = challenger;
  if (const auto said_by = sayers(kind, number)) state_.put(*said_by, challenger, true);
  round.phase = round_phase::disputed;
  const auto author = author_of(kind, number);
  peer_set holds, against, judges;
  holds.set(author, author != challenger);
  against.set(challenger, true);
  for (const auto& one : candidates())
    judges.set(one.index, one.index != challenger && one.index != author);
  state_.store(peer_sets::holds, holds);
  state_.store(peer_sets::against, against);
  await(judges);
  begin_stage(seconds_to_check(bytes_to_judge()));
  rounds_.emit(merge_challenged{round.round_num, round.generation, round.term, checking.attempt, kind, number,
                                state_.peer(challenger).account, checking.until});
  settle_dispute(false);
}

std::vector<participant> verification::without_unheard(const std::vector<participant>& who) const {
  peer_set unheard, holds, against;
  for (const auto& one : state_.merge(state_.round.round_num).excluded)
    unheard.set(one.index, one.reason == exclusion_reason::not_available);
  std::vector<participant> out;
  for (const auto& one : who) {
    (unheard.has(one.index) ? against : holds).set(one.index, true);
    if (!unheard.has(one.index)) out.push_back(one);
  }
  if (out.empty() || out.size() == who.size()) return who;
  holds.set(state_.counts.leader, true);
  const auto all = votes(holds, against, {});
  const auto for_it = std::ranges::count_if(all, [](const tally& one) { return one.holds > one.against; });
  const auto most = is_majority(static_cast<std::uint32_t>(for_it), static_cast<std::uint32_t>(all.size()));
  return most ? out : who;
}

void verification::take_vote(std::uint16_t index, bool holds) {
  state_.put(peer_sets::awaited, index, false);
  state_.put(holds ? peer_sets::holds : peer_sets::against, index, true);
  --state_.checking().awaited;
  settle_dispute(false);
}

/// One for each organisation, or for each node where there is one organisation.
std::vector<verification::tally> verification::votes(const peer_set& holds, const peer_set& against,
                                                     const peer_set& missing) const {
  std::map<organisation_id, tally> by_organisation;
  std::vector<tally> by_node;
  for (const auto& [index, peer] : rounds_.participants()) {
    const tally own{holds.has(index), against.has(index), missing.has(index)};
    if (own.holds + own.against + own.missing == 0) continue;
    by_node.push_back(own);
    auto& of = by_organisation[organisation_of(index)];
    of.holds += own.holds;
    of.against += own.against;
    of.missing += own.missing;
  }
  if (by_organisation.size() <= 1) return by_node;
  std::vector<tally> out;
  for (const auto& [organisation, sum] : by_organisation)
    out.push_back(sum);
  return out;
}

/// An organisation says what most of its votes say. Who has not voted does not count once the time is over; before, the
/// dispute ends when no vote that is missing can change what most say.
void verification::settle_dispute(bool is_over) {
  const auto all =
      votes(state_.load(peer_sets::holds), state_.load(peer_sets::against), state_.load(peer_sets::awaited));
  std::uint32_t holds = 0, against = 0, surely_holds = 0, surely_against = 0;
  for (const auto& one : all) {
    holds += one.holds > one.against ? 1 : 0;
    against += one.against > one.holds ? 1 : 0;
    surely_holds += one.holds > one.against + one.missing ? 1 : 0;
    surely_against += one.against > one.holds + one.missing ? 1 : 0;
  }
  const auto count = static_cast<std::uint32_t>(all.size());
  if (is_majority(surely_holds, count)) return decide(verdict::upheld, holds, against);
  if (is_majority(surely_against, count)) return decide(verdict::refuted, holds, against);
  if (!is_over && state_.checking().awaited > 0) return;
  decide(holds == against  ? verdict::tied
         : holds > against ? verdict::upheld
                           : verdict::refuted,
         holds, against);
}

void verification::decide(verdict outcome, std::uint32_t holds, std::uint32_t against) {
  const auto& round = state_.round;
  auto& checking = state_.checking();
  rounds_.emit(challenge_decided{round.round_num, round.generation, round.term, checking.attempt, outcome,
                                 holds, against});
  // Everybody who looks sees the same, so one of the two has lied; unless it is about what is served, which may be true
  // for some only.
  const auto said_by = sayers(checking.kind, checking.number);
  const auto author = author_of(checking.kind, checking.number);
  if (outcome == verdict::upheld) {
    said_by ? pass_over(checking.challenger) : bar(checking.challenger, bar_reason::false_challenge);
    return deal_out();
  }
  if (said_by == peer_sets::available) {
    const auto index = state_.merge(round.round_num).excluded.at(checking.number).index;
    auto peer = state_.peer(index);
    peer.set(peer_slot::spared, true);
    state_.set_peer(index, peer);
  } else if (outcome == verdict::tied && ++checking.ties > 1) {
    return stop();
  }
  if ((said_by == peer_sets::available || outcome == verdict::tied) && checking.questioned == 0)
    checking.questioned = static_cast<std::uint16_t>(author + 1);
  // Some maker does not give what it has committed; nobody can say who by what stands on chain.
  if (checking.kind == challenge_kind::unserved && proposed_shards() > 0)
    state_.shards().again_from = static_cast<std::uint32_t>(round.round_num + 1 + barred_rounds);
  if (outcome == verdict::refuted && !said_by) bar(author, bar_reason::false_merge);
  rounds_.advance_leader();
}

/// Others check what it cannot. Who is not served has said so for its whole organisation, if there are others: one after the
/// other of its peers would be waited for in vain, and barred for it.
void verification::pass_over(std::uint16_t challenger) {
  auto able = state_.load(peer_sets::able);
  able.set(challenger, false);
  const auto own = organisation_of(challenger);
  const auto who = candidates();
  const bool has_others = organisation_of(state_.counts.leader) != own
                          || std::any_of(who.begin(), who.end(),
                                         [&](const auto& one) { return organisation_of(one.index) != own; });
  for (const auto& one : who)
    if (has_others && state_.checking().kind == challenge_kind::unserved && organisation_of(one.index) == own)
      able.set(one.index, false);
  state_.store(peer_sets::able, able);
}

void verification::stop() {
  auto& round = state_.round;
  round.phase = round_phase::stopped;
  const auto& checking = state_.checking();
  rounds_.emit(round_stopped{round.round_num, round.generation,
                             state_.peer(author_of(checking.kind, checking.number)).account,
                             state_.peer(checking.challenger).account});
}

} // namespace swarm::contracts
