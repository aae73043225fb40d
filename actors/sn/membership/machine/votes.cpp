#include "actors/sn/membership/machine/votes.hpp"

#include "ledger/consensus/quorum.hpp"

#include <algorithm>

namespace swarm::membership {

namespace {

bool is_connected(const network_view& view, const address& account) {
  return std::any_of(view.connected.begin(), view.connected.end(),
                     [&](const auto& node) { return node.account == account; });
}

/// The SN that registered first, is here with the certificate it registered, and wishes to validate.
std::optional<vote> admission(const network_view& view) {
  for (const auto& node : view.nodes) {
    if (node.type != contracts::node_type::sn || !node.active || holds(view.members, node.account)
        || view.barred.contains(node.account))
      continue;
    const auto here = std::find_if(view.connected.begin(), view.connected.end(),
                                   [&](const auto& one) { return one.account == node.account; });
    if (here == view.connected.end() || !here->validates || here->cert_fingerprint != node.identity) continue;
    if (!view.voted_on.contains(node.account)) return vote{node.account, true};
  }
  return std::nullopt;
}

bool is_needed(const network_view& view, const address& account) {
  const auto all = view.validators.size();
  return holds(view.validators, account)
         && consensus::faults_tolerated(all - 1) < consensus::faults_tolerated(all);
}

/// Everybody who was away for too long and is not needed, while a quorum of the validators is here.
std::optional<vote> removal(const network_view& view) {
  const auto here =
      std::count_if(view.validators.begin(), view.validators.end(), [&](const address& account) {
        return account == view.self || is_connected(view, account);
      });
  if (static_cast<std::size_t>(here) < consensus::quorum_of(view.validators.size())) return std::nullopt;
  for (const auto& [account, away] : view.absent)
    if (away >= absent_max && holds(view.members, account) && account != view.self
        && !view.voted_on.contains(account) && !is_needed(view, account))
      return vote{account, false};
  return std::nullopt;
}

/// A vote for removing somebody who is back.
std::optional<vote> reprieve(const network_view& view) {
  for (const auto& account : view.voted_on)
    if (holds(view.members, account) && is_connected(view, account) && !view.homeless.contains(account))
      return vote{account, false, true};
  return std::nullopt;
}

/// Whoever removed an organisation wants it without seats, although the others survive fewer liars then.
std::optional<vote> eviction(const network_view& view) {
  for (const auto& account : view.homeless)
    if (account != view.self && !view.voted_on.contains(account)) return vote{account, false};
  return std::nullopt;
}

} // namespace

std::vector<address> kept_absent(const network_view& view) {
  std::vector<address> out;
  for (const auto& [account, away] : view.absent)
    if (away >= absent_max && account != view.self && is_needed(view, account)
        && !view.homeless.contains(account))
      out.push_back(account);
  return out;
}

std::optional<vote> next_vote(const network_view& view) {
  if (!std::binary_search(view.validators.begin(), view.validators.end(), view.self)) return std::nullopt;
  if (auto out = reprieve(view)) return out;
  if (auto out = eviction(view)) return out;
  if (auto out = admission(view)) return out;
  return removal(view);
}

} // namespace swarm::membership
