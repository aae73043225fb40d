#include "contracts/training/rounds.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace swarm::contracts {

namespace {

std::uint16_t* counter_of(counts_slot& counts, peer_state state) {
  switch (state) {
  case peer_state::active:
    return &counts.active;
  case peer_state::absent:
    return &counts.absent;
  case peer_state::finished:
    return &counts.finished;
  case peer_state::odd:
    return &counts.odd;
  default:
    return nullptr;
  }
}

} // namespace

void rounds::settle() {
  const auto& counts = state_.counts;
  switch (state_.round.phase) {
  case round_phase::collecting:
    settle_collecting();
    break;
  case round_phase::revealing:
    if (counts.hidden == 0) end_reveals();
    break;
  case round_phase::merging:
    if (counts.suspects > 0 && is_given_up()) advance_leader();
    break;
  case round_phase::verifying:
  case round_phase::disputed:
  case round_phase::stopped:
  case round_phase::complete:
    break;
  }
}

/// Most organisations suspect the leader of the term: of each, most peers of the round that are there, the leader itself
/// left out. So where there is one organisation it is most of these, and elsewhere many keys of one are not enough.
bool rounds::is_given_up() const {
  struct tally {
    std::uint32_t suspects = 0, all = 0;
  };
  std::map<organisation_id, tally> organisations;
  for (const auto& one : participants()) {
    if (one.index == state_.counts.leader || one.peer.state == peer_state::left) continue;
    const auto check_in = state_.check_in(one.index);
    auto& own = organisations[check_in.in_organisation];
    ++own.all;
    own.suspects += check_in.suspected_term == state_.round.term + std::uint64_t{1} ? 1 : 0;
  }
  const auto suspecting = std::ranges::count_if(
      organisations, [](const auto& one) { return is_majority(one.second.suspects, one.second.all); });
  return is_majority(static_cast<std::uint32_t>(suspecting),
                     static_cast<std::uint32_t>(organisations.size()));
}

void rounds::settle_collecting() {
  const auto& counts = state_.counts;
  const bool nobody_trains = counts.active == 0 && counts.finished > 0;
  // All that finished peers contributed is merged already: another round would merge the same models again.
  if (nobody_trains && counts.newly_finished == 0 && state_.round.round_num > 1) return complete();
  // minPeers is about peers that train. The last models of finished peers are merged whatever their number.
  const std::uint32_t enough = counts.active == 0 ? 1 : state_.round.min_peers;
  if (counts.checked_in == 0 || counts.checked_in < enough) return;
  const bool all_in = counts.checked_in == counts.active + counts.finished;
  if (!all_in && !is_majority(counts.close_votes, counts.checked_in)) return;
  if (counts.contributors > 0) return counts.hidden > 0 ? open_reveals() : close(take_participants());
  if (nobody_trains) return complete();
  // Only finished peers without models are in, and they have waited long enough for those who train, who
  // must be gone.
  const auto in = participants();
  const bool only_finished = std::all_of(
      in.begin(), in.end(), [](const auto& one) { return one.peer.state == peer_state::finished; });
  if (!only_finished) return;
  take_participants();
  complete();
}

/// The round is closed to others: from now on it helps nobody to know what others bring.
void rounds::open_reveals() {
  auto& round = state_.round;
  take_participants();
  round.phase = round_phase::revealing;
  const reveals_slot reveals{state_.storage().host().block_time() + reveal_seconds,
                             state_.reveals().stage + 1};
  state_.set_reveals(reveals);
  emit(reveals_opened{round.round_num, round.generation, reveals.end, state_.counts.checked_in});
}

void rounds::reveal(peer_slot& peer, bool counts) {
  --state_.counts.hidden;
  peer.set(peer_slot::revealed, true);
  if (counts) return;
  --state_.counts.contributors;
  peer.in_weightage = 0;
}

void rounds::end_reveals() {
  const auto& counts = state_.counts;
  const std::uint32_t enough = counts.active == 0 ? 1 : state_.round.min_peers;
  const auto stay = static_cast<std::uint32_t>(counts.checked_in - counts.hidden);
  const bool goes_on = stay >= enough && counts.contributors > counts.hidden;
  auto in = participants();
  std::uint32_t left_to_do = withheld_at_once_max;
  for (auto& one : in) {
    if (!one.peer.hides()) continue;
    if (left_to_do-- == 0) return;
    withhold(one, goes_on);
  }
  if (!goes_on) return reopen();
  std::erase_if(in, [](const participant& one) { return !one.peer.has(peer_slot::checked_in); });
  close(in);
}

/// The check-in of `peer`, which is waited for, never was.
void rounds::take_back(peer_slot& peer) {
  if (peer.has(peer_slot::newly_finished)) peer.set(peer_slot::finished, false);
  withdraw(peer);
  if (!peer.has(peer_slot::finished)) change_state(peer, peer_state::active);
}

/// Its check-in never was. It is as absent as one that a close has not waited for, if the round goes on without it;
/// otherwise it is waited for.
void rounds::withhold(participant& who, bool goes_on) {
  auto& peer = who.peer;
  take_back(peer);
  if (goes_on) change_state(peer, peer_state::absent);
  peer.set(peer_slot::doubted, true);
  state_.set_peer(who.index, peer);
  constexpr std::uint8_t doublings_max = 16;
  auto standing = state_.standing(who.index);
  if (standing.withheld < doublings_max) ++standing.withheld;
  const auto& round = state_.round;
  standing.trusted_from = round.round_num + 1 + (std::uint64_t{1} << standing.withheld);
  state_.set_standing(who.index, standing);
  emit(withheld{peer.account, round.round_num, round.generation, standing.trusted_from});
}

bool rounds::is_doubted(std::uint16_t index, const peer_slot& peer) const {
  return peer.has(peer_slot::doubted) && state_.round.round_num < state_.standing(index).trusted_from;
}

bool rounds::is_barred(const participant& one) const {
  return one.peer.has(peer_slot::barred) && state_.round.round_num < state_.standing(one.index).barred_until;
}

std::set<organisation_id> rounds::set_aside() const {
  std::set<organisation_id> out;
  if (const auto who = state_.checking().questioned; who > 0)
    out.insert(organisation_of(static_cast<std::uint16_t>(who - 1)));
  for (const auto& one : participants())
    if (one.peer.has(peer_slot::barred)
        && state_.standing(one.index).barred_until == state_.round.round_num + 1 + barred_rounds)
      out.insert(organisation_of(one.index));
  return out;
}

std::optional<std::uint32_t> rounds::term_from(std::uint32_t first, const std::vector<participant>& order,
                                               std::optional<std::uint16_t> present) const {
  const auto aside = set_aside();
  std::optional<std::uint32_t> set_aside_term, barred, anybody;
  for (std::uint32_t term = first; term < first + order.size(); ++term) {
    const auto& one = order[term % order.size()];
    if (one.peer.state == peer_state::left) continue;
    if (one.index == present) {
      if (!anybody) anybody = term;
    } else if (is_barred(one)) {
      if (!barred) barred = term;
    } else if (!aside.empty() && aside.contains(organisation_of(one.index))) {
      if (!set_aside_term) set_aside_term = term;
    } else {
      return term;
    }
  }
  return set_aside_term ? set_aside_term : barred ? barred : anybody;
}

void rounds::close(const std::vector<participant>& in) {
  auto& round = state_.round;
  auto& counts = state_.counts;
  const auto order = succession(in);
  SWARM_ASSERT(!order.empty());
  counts.successors = static_cast<std::uint16_t>(order.size());
  // A round that is collected anew starts above its old terms, at a multiple of the length, so that the
  // leader of a term is still entry `term modulo length`.
  const auto first = (round.term + counts.successors - 1u) / counts.successors * counts.successors;
  round.term = term_from(first, order, std::nullopt).value();
  const auto& leader = order[round.term % order.size()];
  counts.leader = leader.index;
  round.phase = round_phase::merging;
  emit(round_closed{round.round_num, round.generation, leader.peer.account, counts.checked_in,
                    counts.contributors});
  open_shards(in);
}

std::vector<participant> rounds::take_participants() {
  std::vector<participant> out;
  for (std::uint16_t i = 0; i < state_.counts.peers; ++i) {
    auto peer = state_.peer(i);
    if (state_.is_in(peer)) {
      out.push_back({i, peer});
    } else if (peer.state == peer_state::active || peer.state == peer_state::finished) {
      change_state(peer, peer_state::absent);
      state_.set_peer(i, peer);
      emit(peer_absent{peer.account, state_.round.generation, state_.round.round_num});
    }
  }
  return out;
}

void rounds::advance_leader() {
  auto& round = state_.round;
  auto& counts = state_.counts;
  counts.suspects = 0;
  const auto in = participants();
  const auto order = succession(in);
  SWARM_ASSERT(order.size() == counts.successors);
  if (state_.checking().proposals >= seed_links) return reopen(true);
  const auto term = term_from(round.term + 1, order, counts.leader);
  if (!term) return reopen();
  const auto& next = order[*term % order.size()];
  round.term = *term;
  round.phase = round_phase::merging;
  counts.leader = next.index;
  emit(leader_changed{round.round_num, round.generation, round.term, next.peer.account});
  open_shards(in);
}

void rounds::reopen(bool everybody) {
  auto& round = state_.round;
  auto& counts = state_.counts;
  round.phase = round_phase::collecting;
  ++round.term;
  counts.left_in = 0;
  counts.suspects = 0;
  counts.successors = 0;
  counts.leader = 0;
  if (everybody) state_.checking() = {};
  for (auto& [index, peer] : participants()) {
    const bool is_out = peer.state == peer_state::left || peer.state == peer_state::odd;
    const bool changes = is_out || everybody || peer.has(peer_slot::voted);
    if (peer.has(peer_slot::voted)) --counts.close_votes;
    peer.set(peer_slot::voted, false);
    if (everybody && !is_out) take_back(peer);
    if (is_out) withdraw(peer);
    if (changes) state_.set_peer(index, peer);
  }
  emit(round_reopened{round.round_num, round.generation});
  settle_collecting();
}

void rounds::start_over() {
  round_slot fresh;
  fresh.generation = state_.round.generation + 1;
  fresh.round_num = 1;
  fresh.method = state_.round.method;
  fresh.min_peers = state_.round.min_peers;
  state_.round = fresh;
  state_.counts = {};
  state_.checking() = {};
  state_.shards() = {};
}

void rounds::next_round() {
  auto& round = state_.round;
  clear_round_counts();
  round.opened = state_.storage().host().block_time();
  state_.set_accepted_at(round.round_num, round.opened);
  ++round.round_num;
  round.term = 0;
  round.phase = round_phase::collecting;
  if (state_.counts.active == 0 && state_.counts.finished > 0) complete();
}

void rounds::complete() {
  auto& round = state_.round;
  clear_round_counts();
  round.phase = round_phase::complete;
  round.term = 0;
  const auto last = round.round_num - 1;
  emit(training_complete{last, round.generation, last == 0 ? hash32{} : state_.merge_digest(last)});
}

void rounds::clear_round_counts() {
  counts_slot kept;
  kept.peers = state_.counts.peers;
  kept.active = state_.counts.active;
  kept.absent = state_.counts.absent;
  kept.finished = state_.counts.finished;
  kept.odd = state_.counts.odd;
  kept.backing = state_.counts.backing;
  kept.accused = state_.counts.accused;
  state_.counts = kept;
  state_.checking() = {};
  state_.shards().since = 0;
}

void rounds::change_state(peer_slot& peer, peer_state to) {
  if (auto* from = counter_of(state_.counts, peer.state)) --*from;
  if (auto* into = counter_of(state_.counts, to)) ++*into;
  peer.state = to;
}

void rounds::enter(peer_slot& peer, std::uint8_t weightage, bool finished) {
  auto& counts = state_.counts;
  if (!state_.is_in(peer)) {
    ++counts.checked_in;
    peer.last_round = static_cast<std::uint32_t>(state_.round.round_num);
    for (auto flag : {peer_slot::voted, peer_slot::newly_finished, peer_slot::revealed, peer_slot::outside,
                      peer_slot::spared})
      peer.set(flag, false);
    peer.set(peer_slot::checked_in, true);
  }
  if (weightage > 0) {
    ++counts.contributors;
    ++counts.hidden;
    peer.set(peer_slot::revealed, false);
  }
  peer.in_weightage = weightage;
  peer.set(peer_slot::leads, peer.has(peer_slot::can_lead));
  if (finished) peer.set(peer_slot::finished, true);
  peer.set(peer_slot::in_finished, peer.has(peer_slot::finished));
  const auto next = peer.has(peer_slot::finished) ? peer_state::finished : peer_state::active;
  if (next == peer_state::finished && peer.state != next) {
    ++counts.newly_finished;
    peer.set(peer_slot::newly_finished, true);
  }
  change_state(peer, next);
}

void rounds::withdraw(peer_slot& peer) {
  auto& counts = state_.counts;
  if (peer.hides()) --counts.hidden;
  --counts.checked_in;
  if (peer.in_weightage > 0) --counts.contributors;
  if (peer.has(peer_slot::voted)) --counts.close_votes;
  if (peer.has(peer_slot::newly_finished)) --counts.newly_finished;
  for (auto flag : {peer_slot::checked_in, peer_slot::leads, peer_slot::voted, peer_slot::newly_finished,
                    peer_slot::revealed})
    peer.set(flag, false);
  peer.in_weightage = 0;
  // When its only model is withdrawn, a layout in which nothing was merged binds nobody.
  const bool binds_nobody = counts.contributors == 0 && state_.round.round_num == 1 && counts.backing == 0;
  if (binds_nobody) state_.set_layout_digest({});
}

std::vector<participant> rounds::participants() const {
  std::vector<participant> out;
  for (std::uint16_t i = 0; i < state_.counts.peers; ++i)
    if (auto peer = state_.peer(i); state_.is_in(peer)) out.push_back({i, peer});
  return out;
}

std::vector<participant> rounds::succession(const std::vector<participant>& in) const {
  const bool somebody_can =
      std::any_of(in.begin(), in.end(), [](const auto& one) { return one.peer.has(peer_slot::leads); });
  std::vector<participant> out;
  for (const auto& one : in)
    if (somebody_can ? one.peer.has(peer_slot::leads) : one.peer.in_weightage > 0) out.push_back(one);
  const auto merged = state_.round.round_num - 1;
  const auto first = merged == 0 ? 0 : state_.merge_head(merged).leader + 1;
  std::sort(out.begin(), out.end(), [first](const participant& a, const participant& b) {
    const auto key = [first](const participant& one) {
      return std::tuple(one.peer.in_weightage == 0, one.index < first, one.index);
    };
    return key(a) < key(b);
  });
  return out;
}

} // namespace swarm::contracts
