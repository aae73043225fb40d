#include "tests/simulator/organisations/siege_judge.hpp"

#include "contracts/organisations/client.hpp"
#include "contracts/registry/node_records.hpp"
#include "ledger/consensus/quorum.hpp"
#include "tests/simulator/organisations/member_desk.hpp"

#include <algorithm>

namespace swarm::simulator {

using namespace contracts;

namespace {

/// An honest node has the proof on the chain by then, also while rounds fail.
constexpr sim_time proof_takes_max = 6 * second;
constexpr sim_time look_every = second;

std::uint64_t size_of(const ledger::executed_block& block, std::size_t index) {
  auto out = block.txns[index].raw().size() + block.outcomes[index].revert_output.size();
  for (const auto& log : block.outcomes[index].consensus.logs)
    out += 20 + 32 * log.topics.size() + log.data.size();
  return out;
}

} // namespace

bool siege_judge::is_honest(const address& account) const {
  const auto found = truth_.find(account);
  return found != truth_.end() && found->second != attacker_;
}

std::uint64_t siege_judge::bytes_of(std::uint16_t organisation) const {
  const auto found = bytes_.find(organisation);
  return found == bytes_.end() ? 0 : found->second;
}

std::size_t siege_judge::members_of(std::uint16_t organisation) const {
  return static_cast<std::size_t>(std::count_if(members_.begin(), members_.end(), [&](const auto& each) {
    return each.second.organisation == organisation;
  }));
}

void siege_judge::take(const ledger::chain_view& chain, const ledger::executed_block& block) {
  if (const auto day = block.header.timestamp / day_seconds; day != day_) {
    day_ = day;
    bytes_.clear();
    claimed_bytes_.clear();
  }
  for (std::size_t i = 0; i < block.txns.size(); ++i) {
    take_txn(block, i);
    for (const auto& log : block.outcomes[i].consensus.logs) {
      if (log.emitter == node_registry_address())
        if (const auto event = decode_node_event(log.topics, log.data)) take_event(*event, block);
      if (log.emitter != organisation_registry_address()) continue;
      const auto event = decode_event<organisation_registry_interface>(log.topics, log.data);
      if (!event) continue;
      if (const auto* removed = std::get_if<organisation_removed>(&*event))
        removed_organisations_.insert(removed->organisation);
    }
  }
  check_seats(chain, block.header.block_num);
}

/// Whoever sends is a member in the block, or asks to become one, and answers for the bytes.
void siege_judge::take_txn(const ledger::executed_block& block, std::size_t index) {
  const auto& txn = block.txns[index];
  const auto found = members_.find(txn.sender());
  const bool belongs = found != members_.end() && !is_past(found->second.expiry, block.header.timestamp)
                       && !is_removed(found->second.organisation);
  const auto claim = decode_registration(txn.fields().to, txn.fields().data);
  if (!belongs && !claim)
    return fail(fmt::format("a stranger's transaction is in block {}", block.header.block_num));
  const auto organisation = belongs ? found->second.organisation : claim->organisation;
  const auto size = size_of(block, index);
  auto& used = bytes_[organisation];
  used += size;
  if (used > bytes_a_day_)
    fail(fmt::format("bytes: organisation {} has {} on the chain this day, {} are allowed", organisation,
                     used, bytes_a_day_));
  if (belongs || truth_[txn.sender()] == organisation) return;
  auto& claimed = claimed_bytes_[organisation];
  claimed += size;
  if (claimed > bytes_a_day_ / 10)
    fail(fmt::format("bytes: strangers use up {} of organisation {}'s day", claimed, organisation));
}

void siege_judge::take_event(const node_event& event, const ledger::executed_block& block) {
  const auto at = block.header.block_num;
  if (const auto* what = std::get_if<node_registered>(&event)) {
    claims_[what->account] = {what->organisation, what->expiry};
  } else if (const auto* admitted = std::get_if<node_admitted>(&event)) {
    members_[admitted->account] = claims_[admitted->account];
    if (invented_.contains(admitted->account))
      fail(fmt::format("an invented node became a member in block {}", at));
  } else if (const auto* removed = std::get_if<node_removed>(&event)) {
    members_.erase(removed->account);
    if (is_honest(removed->account))
      fail(fmt::format("an honest node was removed in block {} by organisation {}", at, removed->by));
  } else if (const auto* expired = std::get_if<node_expired>(&event)) {
    members_.erase(expired->account);
  } else if (const auto* left = std::get_if<node_left>(&event)) {
    members_.erase(left->account);
  } else if (const auto* proved = std::get_if<double_vote_proved>(&event)) {
    ++seats_lost_;
    if (is_honest(proved->account))
      fail(fmt::format("an honest node lost its seat in block {} for a double vote", at));
  }
}

void siege_judge::check_seats(const ledger::chain_view& chain, std::uint64_t block_num) {
  const auto before = std::exchange(validators_, chain.validators_after(block_num).value());
  if (before == validators_) return;
  std::map<std::uint16_t, std::size_t> seats;
  for (const auto& each : validators_)
    ++seats[truth_[each]];
  const auto held = seats[attacker_];
  seats_max_ = std::max(seats_max_, held);
  if (seats.size() >= 4 && held > consensus::faults_tolerated(validators_.size()))
    fail(fmt::format("seats: organisation {} has {} of {} in block {}", attacker_, held, validators_.size(),
                     block_num));
  for (const auto& each : before)
    if (is_honest(each) && !consensus::is_validator(validators_, each))
      fail(fmt::format("an honest node lost its seat in block {}", block_num));
}

void siege_judge::tick(const ledger::chain_view& chain) {
  for (const auto& [who, since] : double_votes_)
    if (world_.now() > since + proof_takes_max && consensus::is_validator(validators_, who))
      fail(fmt::format("a double vote costs no seat: {} still has one", to_hex(who.view())));
  if (world_.now() < looked_ + look_every) return;
  looked_ = world_.now();
  const auto standing = ask(chain, node_registry_address(), standing_args{attacker_});
  if (standing.nodes > organisation_limits{}.nodes || standing.pending > pending_max)
    fail(fmt::format("registry: organisation {} has {} entries, and {} that wait", attacker_, standing.nodes,
                     standing.pending));
}

} // namespace swarm::simulator
