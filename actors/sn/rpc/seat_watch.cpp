#include "actors/sn/rpc/seat_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace swarm::rpc {

namespace {

const auto registry = contracts::node_registry_address();
/// Before a sign of life is shown again: within the time that the node has.
constexpr duration show_again_after = std::chrono::seconds(3);

template <class View>
result<contracts::abi::answer_of<View>> ask(const ledger::chain_view& chain, const View& question) {
  SWARM_TRY(const auto answer,
            chain.call({.from = {}, .to = registry, .input = contracts::encode(question)}));
  return contracts::decode_answer<View>(answer.output);
}

} // namespace

/// Organisations whose seats are limited.
result<> seat_watch::read(const ledger::chain_view& chain, const std::vector<contracts::node_view>& nodes) {
  SWARM_TRY(const auto account, chain.account_of(registry));
  if (read_at_ == account.storage_root) return {};
  std::set<contracts::organisation_id> all;
  for (const auto& node : nodes)
    if (node.organisation != 0) all.insert(node.organisation);
  limited_.clear();
  for (const auto id : all) {
    organisation_seats seats;
    SWARM_TRY(seats.limits, ask(chain, contracts::seat_limits_args{id}));
    const auto is_limit = [](const auto& one) { return one.most() != 0; };
    if (std::ranges::none_of(seats.limits, is_limit)) continue;
    SWARM_TRY(seats.leases, ask(chain, contracts::seat_leases_args{id}));
    SWARM_TRY(seats.standing, ask(chain, contracts::standing_args{id}));
    limited_.emplace(id, std::move(seats));
  }
  read_at_ = account.storage_root;
  return {};
}

result<std::vector<seat_watch::call>> seat_watch::look(const ledger::chain_view& chain,
                                                       const std::vector<contracts::node_view>& nodes,
                                                       liveness& signs, duration lease, std::uint64_t unix_s,
                                                       time_point now) {
  SWARM_CHECK(read(chain, nodes));
  if (noted_.size() >= notes_max) noted_.clear();
  scene of{nodes, signs, lease, unix_s, chain.head()->header.timestamp, now};
  for (const auto& [id, seats] : limited_)
    look_at(id, seats, of);
  return std::move(of.calls);
}

/// How many SNs come before this one, of an organisation, or of all for 0; none for whoever is no SN of it.
std::size_t seat_watch::place_among(const scene& of, contracts::organisation_id organisation) const {
  std::size_t before = 0;
  for (const auto& node : of.nodes) {
    if (node.account == self_) break;
    const bool counts = organisation == 0 || node.organisation == organisation;
    if (node.active && node.type == contracts::node_type::sn && counts) ++before;
  }
  return std::min(before, turns_max);
}

bool seat_watch::is_due(said what, const address& about, const scene& of) {
  const auto [at, is_new] = noted_.try_emplace({what, about}, of.now);
  if (is_new && what != said::silent) at->second = of.now + turn * place_among(of, 0);
  if (of.now < at->second) return false;
  at->second = of.now + (what == said::alive ? show_again_after : again_after);
  return true;
}

void seat_watch::look_at(contracts::organisation_id organisation, const organisation_seats& seats,
                         scene& of) {
  const auto self = std::ranges::find(of.nodes, self_, &contracts::node_view::account);
  if (self == of.nodes.end() || !self->active) return;
  const bool own = self->organisation == organisation;
  const auto& standing = seats.standing;
  const bool unanswered =
      standing.accused_at != 0 && of.unix_s > standing.accused_at + contracts::answer_seconds;
  const bool speaks = own || standing.sns == 0 || unanswered;
  for (const auto& lease : seats.leases) {
    if (!lease.accused.is_zero()) {
      answer(lease, of);
      continue;
    }
    const auto most = seats.limits.at(static_cast<std::size_t>(lease.role) - 1).most();
    if (most == 0 || lease.taken < most || of.unix_s < lease.rest_until) continue;
    if (speaks)
      accuse(organisation, lease,
             unanswered && !own ? standing.accused_at + contracts::answer_seconds + 1 : 0,
             of.lease + turn * place_among(of, own ? organisation : 0), of);
    else
      accuse_organisation(organisation, of);
  }
}

void seat_watch::answer(const contracts::seat_lease_view& lease, scene& of) {
  if (of.signs.last_serial(lease.accused) <= lease.serial) return;
  auto sign = of.signs.last_sign(lease.accused);
  if (sign.empty() || !is_due(said::alive, lease.accused, of)) return;
  of.calls.push_back({contracts::encode(contracts::answer_for_node_args{std::move(sign)}), true, {}});
}

/// Of those that are silent the one that was so for longest comes first; who cannot be accused, as it trains, makes room.
void seat_watch::accuse(contracts::organisation_id organisation, const contracts::seat_lease_view& lease,
                        std::uint64_t speaks_from, duration patience, scene& of) {
  std::vector<std::pair<duration, const contracts::node_view*>> silent;
  for (const auto& node : of.nodes) {
    if (node.account == self_ || !node.active || node.organisation != organisation || node.type != lease.role)
      continue;
    if (const auto lasts = of.signs.silence_of(node.account, of.now); lasts > patience)
      silent.emplace_back(lasts, &node);
  }
  std::ranges::sort(silent, std::greater());
  const auto due = std::ranges::find_if(
      silent, [&](const auto& one) { return is_due(said::silent, one.second->account, of); });
  if (due == silent.end()) return;
  const auto& [lasts, node] = *due;
  // What the contract is asked at the head it judges by the time of the head, which may be long ago.
  const bool try_first = std::max(lease.rest_until, speaks_from) <= of.head_time;
  of.calls.push_back(
      {contracts::encode(contracts::accuse_node_args{node->account, of.signs.last_sign(node->account)}),
       try_first,
       fmt::format(
           "the {} {} ({}) has given no sign of life for {} s: its seat goes to the next of its organisation "
           "who needs one, unless a sign comes within {} s or it is in a training",
           contracts::to_string(node->type), node->name, to_hex(node->account.view()),
           std::chrono::duration_cast<std::chrono::seconds>(lasts).count(), contracts::seat_answer_seconds)});
}

/// Nobody can say for an organisation whose SNs are all silent which of its nodes are; it is asked whether it lives.
void seat_watch::accuse_organisation(contracts::organisation_id organisation, scene& of) {
  address first;
  for (const auto& node : of.nodes) {
    if (!node.active || node.organisation != organisation || node.type != contracts::node_type::sn) continue;
    if (of.signs.silence_of(node.account, of.now) <= of.lease) return;
    if (first.is_zero()) first = node.account;
  }
  if (first.is_zero() || !is_due(said::organisation, first, of)) return;
  of.calls.push_back({contracts::encode(contracts::accuse_args{organisation}), true, {}});
}

} // namespace swarm::rpc
