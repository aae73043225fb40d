#include "contracts/training/verification.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <map>

namespace swarm::contracts {

std::vector<participant> verification::candidates() const {
  auto out = rounds_.participants();
  const bool by_leader = proposed_shards() == 0;
  std::erase_if(out, [&](const participant& one) {
    return (by_leader && one.index == state_.counts.leader) || one.peer.in_weightage == 0
           || !is_at_work(one.peer);
  });
  return out;
}

std::uint32_t verification::proposed_shards() const {
  return state_.merge_head(state_.round.round_num).shards;
}

std::uint64_t verification::proposed_size() const {
  return state_.merge_head(state_.round.round_num).size;
}

std::uint64_t verification::chunks() const {
  const auto size = proposed_size();
  const auto method = parse_merge_method(state_.merge_method()).value();
  // What was measured is made by single elements.
  const bool is_measured =
      state_.rules >= rules_with_measures && !is_elementwise(method) && proposed_shards() > 0;
  return chunks_to_deal(size, is_measured ? merge_method{} : method);
}

std::uint64_t verification::measured_units() const {
  if (state_.rules < rules_with_measures || proposed_shards() == 0) return 0;
  const shard_board board(state_);
  return board.was_measured() ? board.plan().units() : 0;
}

void verification::await(const peer_set& whom) {
  state_.store(peer_sets::awaited, whom);
  state_.checking().awaited = static_cast<std::uint16_t>(whom.indexes().size());
}

void verification::begin_stage(std::uint64_t seconds) {
  auto& checking = state_.checking();
  checking.until = state_.storage().host().block_time() + seconds;
  checking.lasts = static_cast<std::uint32_t>(seconds);
}

void verification::open() {
  auto& checking = state_.checking();
  checking.made_in = 0;
  if (proposed_shards() > 0)
    checking.made_in =
        static_cast<std::uint32_t>(state_.storage().host().block_time() - state_.shards().since);
  ++checking.proposals;
  checking.attempt = 0;
  auto who = candidates();
  auto free = who;
  std::erase_if(free, [this](const auto& one) { return rounds_.is_barred(one); });
  // One alone cannot check its own shard.
  if (free.size() > (proposed_shards() > 0 ? 1 : 0)) who = free;
  if (who.empty() || state_.is_unverified()) return accept();
  if (context_.has_rules(3)) who = without_unheard(who);
  peer_set able;
  for (const auto& one : who)
    able.set(one.index, true);
  state_.round.phase = round_phase::verifying;
  state_.set_mix({});
  state_.store(peer_sets::unserved, {});
  state_.store(peer_sets::available, {});
  state_.store(peer_sets::seated, {});
  const bool needs_seeds = !is_checked_without_lots(who);
  state_.store(peer_sets::able, needs_seeds ? peer_set{} : able);
  if (!needs_seeds) return deal_out();
  await(able);
  begin_stage(seed_seconds);
}

bool verification::is_checked_without_lots(const std::vector<participant>& who) const {
  if (proposed_shards() == 0) return is_checked_by_all(proposed_size(), who.size());
  const shard_board board(state_);
  std::vector<address> accounts;
  for (const auto& one : who)
    accounts.push_back(one.peer.account);
  return is_dealt_to_all(accounts, board.plan(), board.authors());
}

void verification::take_seed(std::uint16_t index, const address& account, const hash32& seed) {
  state_.set_seed_hash(index, seed);
  state_.set_mix(mixed_with(state_.mix(), account, seed));
  state_.put(peer_sets::awaited, index, false);
  state_.put(peer_sets::able, index, true);
  if (--state_.checking().awaited == 0) deal_out();
}

void verification::take_attestation(std::uint16_t index) {
  state_.put(peer_sets::awaited, index, false);
  state_.put(peer_sets::attested, index, true);
  if (--state_.checking().awaited == 0) accept();
}

/// `who` as those who could check, in the order of the deal.
std::vector<std::size_t> verification::order_of(const std::vector<participant>& who) const {
  const auto aside = rounds_.set_aside();
  std::vector<checker> checkers;
  for (const auto& [index, peer] : who) {
    const auto organisation = organisation_of(index);
    checkers.push_back({peer.account, organisation, aside.contains(organisation)});
  }
  if (proposed_shards() > 0) return shard_deal_order(state_.mix(), checkers);
  return deal_order(state_.mix(), organisation_of(state_.counts.leader), checkers);
}

deal verification::deal_among(const std::vector<participant>& who) const {
  if (proposed_shards() == 0) {
    std::vector<organisation_id> organisations;
    for (const auto& one : who)
      organisations.push_back(organisation_of(one.index));
    return {organisations, chunks(), is_checked_whole(proposed_size(), who.size())};
  }
  std::vector<checker> seats;
  for (const auto& one : who)
    seats.push_back({one.peer.account, organisation_of(one.index)});
  const shard_board board(state_);
  return deal_shards(seats, board.plan(), board.authors());
}

std::vector<participant> verification::seats() const {
  std::vector<participant> who;
  for (const auto index : state_.load(peer_sets::seated).indexes())
    who.push_back({index, state_.peer(index)});
  std::vector<participant> out;
  for (const auto at : order_of(who))
    out.push_back(who[at]);
  return out;
}

void verification::deal_out() {
  auto& checking = state_.checking();
  auto& round = state_.round;
  round.phase = round_phase::verifying;
  ++checking.attempt;
  const auto able = state_.load(peer_sets::able);
  auto who = candidates();
  std::erase_if(who, [&able](const participant& one) { return !able.has(one.index); });
  std::vector<participant> seats;
  peer_set seated;
  for (const auto at : order_of(who)) {
    seats.push_back(who[at]);
    seated.set(who[at].index, true);
  }
  state_.store(peer_sets::seated, seated);
  state_.store(peer_sets::attested, {});
  const auto count = chunks();
  const auto dealt = deal_among(seats);
  peer_set checkers;
  for (std::size_t place = 0; place < seats.size(); ++place)
    if (dealt.count_of(place) > 0) checkers.set(seats[place].index, true);
  if (dealt.count_max() == 0) {
    checking.attempt = 0; // nobody has attested anything
    return accept();
  }
  await(checkers);
  begin_stage(seconds_for(dealt.count_max()));
  rounds_.emit(checks_dealt{round.round_num, round.generation, round.term, checking.attempt, state_.mix(),
                            count, checking.awaited, checking.until});
}

/// How long the busiest may take, who has so many chunks. All who have made shards took at most `made_in` for one, and making again is
/// what checking is.
std::uint64_t verification::seconds_for(std::uint64_t chunks_of_one) {
  const auto part = model_size() / (chunks() / chunks_of_one) + 1; // of each contribution
  const auto by_size = seconds_to_check(part * state_.counts.contributors);
  if (proposed_shards() == 0) return by_size;
  const auto own = plan_of(state_.shards().size, proposed_shards()).chunks_of(0).count;
  const auto shards = (chunks_of_one + own - 1) / own;
  return std::min(by_size, seconds_for_others(shards * (state_.checking().made_in + 1)));
}

/// Whether somebody else has checked each part of the proposal. One who checks alone what it has made a shard of has not
/// checked that.
bool verification::is_checked_by_others() const {
  const auto who = state_.load(peer_sets::attested).indexes();
  if (proposed_shards() == 0 || who.size() != 1) return true;
  const shard_board board(state_);
  const auto plan = board.plan();
  for (std::uint32_t place = 0; place < board.count(); ++place)
    if (plan.units_of(place).count > 0 && board.author_of(place) == who.front()) return false;
  return true;
}

void verification::accept() {
  const auto& round = state_.round;
  auto head = state_.merge_head(round.round_num);
  merge_accepted out{round.round_num,
                     round.generation,
                     round.term,
                     state_.peer(state_.counts.leader).account,
                     state_.merge_digest(round.round_num),
                     {}};
  if (state_.checking().attempt > 0 && is_checked_by_others())
    for (const auto index : state_.load(peer_sets::attested).indexes())
      out.checkers.push_back(state_.peer(index).account);
  head.checkers = static_cast<std::uint16_t>(out.checkers.size());
  if (head.checkers > 0) state_.set_merge_head(round.round_num, head);
  rounds_.emit(out);
  rounds_.next_round();
}

void verification::bar(std::uint16_t index, bar_reason reason) {
  state_.put(peer_sets::able, index, false);
  auto peer = state_.peer(index);
  auto standing = state_.standing(index);
  const auto& round = state_.round;
  standing.barred_until = static_cast<std::uint32_t>(round.round_num + 1 + barred_rounds);
  peer.set(peer_slot::barred, true);
  state_.set_peer(index, peer);
  state_.set_standing(index, standing);
  rounds_.emit(barred{peer.account, round.round_num, round.generation, reason, standing.barred_until});
}

void verification::end_stage() {
  if (state_.round.phase == round_phase::disputed) return settle_dispute(true);
  auto& checking = state_.checking();
  const auto reason = checking.attempt == 0 ? bar_reason::withheld_seed : bar_reason::silent;
  auto awaited = state_.load(peer_sets::awaited);
  std::uint32_t barred_now = 0;
  for (const auto index : awaited.indexes()) {
    if (barred_now++ == barred_at_once_max) return state_.store(peer_sets::awaited, awaited);
    bar(index, reason);
    awaited.set(index, false);
    --checking.awaited;
  }
  deal_out();
}

void verification::lose(std::uint16_t index) {
  const auto phase = state_.round.phase;
  const bool makes = phase == round_phase::merging && state_.shards().makers > 0
                     && state_.has(peer_sets::makers, index) && !state_.has(peer_sets::made, index);
  if (makes) state_.put(peer_sets::declined, index, true);
  if (phase != round_phase::verifying && phase != round_phase::disputed) return;
  if (state_.has(peer_sets::able, index)) state_.put(peer_sets::able, index, false);
  if (!state_.has(peer_sets::awaited, index)) return;
  auto& checking = state_.checking();
  state_.put(peer_sets::awaited, index, false);
  --checking.awaited;
  if (phase == round_phase::disputed) return settle_dispute(false);
  if (checking.attempt > 0 || checking.awaited == 0) deal_out();
}

/// The size of the models, as nearly all have it: the middle of those of the organisations, each the middle of its own.
/// What a leader or some contributors claim neither stretches a deadline nor makes it too short to meet.
std::uint64_t verification::model_size() const {
  const auto middle = [](std::vector<std::uint64_t>& sizes) {
    const auto at = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
    std::nth_element(sizes.begin(), at, sizes.end());
    return *at;
  };
  std::map<organisation_id, std::vector<std::uint64_t>> sizes;
  for (const auto& [index, peer] : rounds_.participants())
    if (peer.in_weightage > 0) {
      const auto check_in = state_.check_in(index);
      sizes[check_in.in_organisation].push_back(check_in.size);
    }
  std::vector<std::uint64_t> middles;
  for (auto& [organisation, own] : sizes)
    middles.push_back(middle(own));
  SWARM_ASSERT(!middles.empty());
  return std::min(middle(middles), model_bytes_max);
}

} // namespace swarm::contracts
