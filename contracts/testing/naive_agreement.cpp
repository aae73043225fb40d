#include "contracts/testing/naive_training.hpp"

#include <fmt/format.h>

#include <algorithm>

// Which parameters and which layout most organisations want.
namespace swarm::contracts {

bool naive_training::is_odd(const member& peer, about what) const {
  return peer.view.state == peer_state::odd
         && (peer.view.reason == leave_reason::other_parameters) == (what == about::layout);
}

std::string naive_training::in_force(about what) const {
  return what == about::layout ? to_hex(layout_.view()) : fmt::format("{} {}", min_peers_, method_);
}

void naive_training::put_in_force(about what, const std::string& wanted) {
  if (what == about::layout) {
    layout_ = fixed_from_hex<32>(wanted).value();
  } else {
    min_peers_ = static_cast<std::uint32_t>(std::stoul(wanted));
    method_ = wanted.substr(wanted.find(' ') + 1);
  }
}

std::optional<std::string> naive_training::wants(const member& peer, about what) const {
  if (peer.view.state == peer_state::none || peer.view.state == peer_state::left) return std::nullopt;
  if (is_odd(peer, what)) return peer.asks;
  if (what == about::parameters) return in_force(what);
  if (peer.view.state == peer_state::odd || !peer.brought_model) return std::nullopt;
  return in_force(what);
}

/// What is in force comes first.
std::vector<naive_training::side> naive_training::sides(about what, const member* without) const {
  std::vector<side> out{{in_force(what), {}, 0}};
  for (const auto& peer : members_) {
    const auto wanted = wants(peer, what);
    if (!wanted || &peer == without) continue;
    auto found = std::find_if(out.begin(), out.end(), [&](const auto& one) { return one.wants == *wanted; });
    if (found == out.end()) found = out.insert(out.end(), side{*wanted, {}, 0});
    found->organisations.insert(peer.view.organisation);
    ++found->peers;
  }
  return out;
}

std::size_t naive_training::strength(const side& in_force) const {
  return std::max(in_force.organisations.size(), backing_);
}

bool naive_training::may_ask(const member& peer, about what, const std::string& asks) const {
  const auto home = peer.view.organisation;
  if (home == 0) return false;
  const auto all = sides(what, &peer);
  std::set<organisation_id> with{home};
  for (const auto& one : all) {
    if (one.wants != asks && one.organisations.contains(home)) return false;
    if (one.wants == asks) with.insert(one.organisations.begin(), one.organisations.end());
  }
  return with.size() >= strength(all.front());
}

void naive_training::make_odd(member& peer, leave_reason why, const std::string& asks) {
  peer.view.state = peer_state::odd;
  peer.view.reason = why;
  peer.asks = asks;
  events.emplace_back(peer_odd{peer.view.account, generation_, why});
}

void naive_training::put_aside(member& peer, about what, const std::string& asked, const std::string& winner,
                               bool outvoted) {
  auto why = leave_reason::other_parameters;
  if (what == about::parameters)
    why = std::stoul(asked) != std::stoul(winner) ? leave_reason::other_min_peers
                                                  : leave_reason::other_merge_method;
  const auto model = peer.in ? std::optional(peer.in->model) : peer.pending;
  const auto last = peer.view.last_round;
  if (is_odd(peer, about::layout)) peer.brought_model = false;
  if (peer.in) withdraw(peer);
  peer.pending.reset();
  if (outvoted) {
    peer.view.state = peer_state::left;
    peer.view.reason = why;
    peer.asks.clear();
    events.emplace_back(peer_left{peer.view.account, generation_, why});
    return;
  }
  if (what == about::layout && model) {
    peer.outside = model;
    peer.outside->finished = peer.over || model->finished;
    peer.outside_of = last;
  }
  make_odd(peer, why, asked);
}

void naive_training::join(member& peer) {
  const bool by_layout = is_odd(peer, about::layout);
  peer.asks.clear();
  peer.view.state = peer_state::none;
  peer.view.reason = {};
  if (by_layout && peer.outside && peer.outside_of == round_) {
    const auto model = *peer.outside;
    peer.outside.reset();
    if (is_doubted(peer)) return pend(peer, model);
    enter(peer, model);
    return tell_check_in(peer, model);
  }
  if (by_layout) peer.brought_model = false; // its model was of an earlier round
  peer.view.state = peer.over ? peer_state::finished : peer_state::active;
}

void naive_training::weigh() {
  if (count(peer_state::odd) > 0 && weigh(about::parameters)) weigh(about::layout);
}

bool naive_training::weigh(about what) {
  for (auto& peer : members_)
    if (is_odd(peer, what) && peer.asks == in_force(what)) join(peer);
  const auto all = sides(what);
  const auto& now = all.front();
  const side* best = nullptr;
  for (const auto& one : all)
    if (&one != &now && (best == nullptr || one.organisations.size() > best->organisations.size()))
      best = &one;
  if (best != nullptr) {
    const auto needs = what == about::parameters ? std::stoul(best->wants) : min_peers_;
    const bool tie = best->organisations.size() == strength(now);
    const bool could_start = best->peers >= needs && now.peers < min_peers_;
    if (best->organisations.size() > strength(now) || (tie && could_start)) {
      if (round_ > 1 || phase_ != round_phase::collecting) {
        start_over(what, *best);
        return false;
      }
      const bool outvoted = best->organisations.size() > now.organisations.size();
      std::vector<member*> winners;
      std::vector<member*> losers;
      for (auto& peer : members_) {
        const auto wanted = wants(peer, what);
        if (wanted == best->wants) winners.push_back(&peer);
        if (wanted == now.wants) losers.push_back(&peer);
      }
      for (auto* peer : losers)
        put_aside(*peer, what, now.wants, best->wants, outvoted);
      put_in_force(what, best->wants);
      backing_ = 0;
      events.emplace_back(agreement_changed{generation_, min_peers_, method_, layout_,
                                            static_cast<std::uint32_t>(best->organisations.size())});
      for (auto* peer : winners)
        join(*peer);
      return weigh(what);
    }
  }
  if (phase_ != round_phase::collecting) return true;
  for (auto& peer : members_)
    for (const auto& one : all)
      if (is_odd(peer, what) && one.wants == peer.asks && one.organisations.size() < strength(now))
        put_aside(peer, what, peer.asks, now.wants, true);
  return true;
}

void naive_training::start_over(about what, const side& winner) {
  const auto min_peers = min_peers_;
  const auto method = method_;
  clear();
  min_peers_ = min_peers;
  method_ = method;
  put_in_force(what, winner.wants);
  backing_ = winner.organisations.size();
  events.emplace_back(training_reset{generation_, caller_});
  events.emplace_back(
      agreement_changed{generation_, min_peers_, method_, layout_, static_cast<std::uint32_t>(backing_)});
}

} // namespace swarm::contracts
