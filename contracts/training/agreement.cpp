#include "contracts/training/agreement.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <charconv>

namespace swarm::contracts {

namespace {

struct parameters {
  std::uint32_t min_peers = 0;
  std::string method;
};

parameters parse_parameters(std::string_view text) {
  parameters out;
  const auto blank = text.find(' ');
  const auto done = std::from_chars(text.data(), text.data() + std::min(blank, text.size()), out.min_peers);
  SWARM_ASSERT(done.ec == std::errc{} && blank != std::string_view::npos);
  out.method = text.substr(blank + 1);
  return out;
}

leave_reason reason_to_refuse(question about, const std::string& wants, const std::string& winner) {
  if (about == question::layout) return leave_reason::other_parameters;
  return parse_parameters(wants).min_peers != parse_parameters(winner).min_peers
             ? leave_reason::other_min_peers
             : leave_reason::other_merge_method;
}

question question_of(leave_reason odd_because) {
  return odd_because == leave_reason::other_parameters ? question::layout : question::parameters;
}

const following& find_in_force(const std::vector<following>& all) {
  return all.front();
}

} // namespace

std::string parameters_text(std::uint32_t min_peers, std::string_view merge_method) {
  return fmt::format("{} {}", min_peers, merge_method);
}
std::string layout_text(const hash32& layout) {
  return to_hex(layout.view());
}

std::vector<agreement::voice> agreement::voices(question about) const {
  std::vector<voice> out;
  for (std::uint16_t i = 0; i < state_.counts.peers; ++i) {
    const auto peer = state_.peer(i);
    if (peer.state == peer_state::none || peer.state == peer_state::left) continue;
    if (about == question::layout && peer.in_weightage == 0) continue;
    voice one{i, peer, state_.check_in(i), {}};
    if (peer.state == peer_state::odd) {
      const auto odd_in = question_of(one.check_in.left_because);
      if (odd_in == about) one.asks = state_.asks(i);
      // What its earlier models were like says nothing about those that it would bring under its parameters.
      else if (about == question::layout)
        continue;
    }
    out.push_back(std::move(one));
  }
  return out;
}

/// What is in force comes first, whether anybody wants it or not.
std::vector<following> agreement::count(const std::vector<voice>& voices) {
  std::vector<following> out(1);
  for (const auto& one : voices) {
    auto found =
        std::find_if(out.begin(), out.end(), [&](const auto& each) { return each.asks == one.asks; });
    if (found == out.end()) found = out.insert(out.end(), following{one.asks, {}, 0});
    found->organisations.insert(one.check_in.organisation);
    ++found->peers;
  }
  return out;
}

std::size_t agreement::strength_in_force(const following& in_force) const {
  return std::max<std::size_t>(in_force.organisations.size(), state_.counts.backing);
}

std::uint32_t agreement::min_peers_of(question about, const std::string& asks) const {
  return about == question::parameters ? parse_parameters(asks).min_peers : state_.round.min_peers;
}

bool agreement::outranks(question about, const following& one, const following& in_force) const {
  const auto strength = strength_in_force(in_force);
  if (one.organisations.size() != strength) return one.organisations.size() > strength;
  return one.peers >= min_peers_of(about, one.asks) && in_force.peers < state_.round.min_peers;
}

std::string agreement::in_force(question about) const {
  return about == question::layout ? layout_text(state_.layout_digest())
                                   : parameters_text(state_.round.min_peers, state_.merge_method());
}

bool agreement::may_ask(question about, const std::string& asks, organisation_id organisation) const {
  if (organisation == 0) return false;
  const auto all = voices(about);
  const bool contradicted = std::any_of(all.begin(), all.end(), [&](const auto& one) {
    return one.check_in.organisation == organisation && one.asks != asks;
  });
  if (contradicted) return false;
  const auto sides = count(all);
  const auto side =
      std::find_if(sides.begin(), sides.end(), [&](const auto& one) { return one.asks == asks; });
  auto wanting = side == sides.end() ? std::set<organisation_id>{} : side->organisations;
  wanting.insert(organisation);
  return wanting.size() >= strength_in_force(find_in_force(sides));
}

void agreement::make_odd(std::uint16_t index, peer_slot& peer, leave_reason why, const std::string& asks) {
  rounds_.change_state(peer, peer_state::odd);
  peer.set(peer_slot::outside, false);
  auto check_in = state_.check_in(index);
  check_in.left_because = why;
  state_.set_peer(index, peer);
  state_.set_check_in(index, check_in);
  state_.set_asks(index, asks);
  rounds_.emit(peer_odd{peer.account, state_.round.generation, why});
}

void agreement::end_odd(std::uint16_t index, peer_slot& peer) {
  // The model that waited outside says nothing about what its peer brings next.
  if (question_of(state_.check_in(index).left_because) == question::layout) peer.in_weightage = 0;
  rounds_.change_state(peer, peer_state::none);
  state_.set_asks(index, {});
}

void agreement::weigh() {
  if (state_.counts.odd == 0) return;
  if (weigh(question::parameters)) weigh(question::layout);
}

/// False when the training has started over.
bool agreement::weigh(question about) {
  auto all = voices(about);
  for (auto& one : all)
    if (one.asks == in_force(about)) { // it was set anew while nobody else wanted anything
      join(one);
      return weigh(about);
    }
  const auto sides = count(all);
  const auto& now = find_in_force(sides);
  const following* best = nullptr;
  for (const auto& side : sides)
    if (!side.asks.empty() && (best == nullptr || side.organisations.size() > best->organisations.size()))
      best = &side;
  if (best != nullptr && outranks(about, *best, now)) {
    const bool outvoted = best->organisations.size() > now.organisations.size();
    if (state_.round.round_num > 1 || state_.round.phase != round_phase::collecting) {
      start_over(about, *best);
      return false;
    }
    adopt(about, *best, outvoted);
    return weigh(about); // of the others, some may be outvoted now
  }
  if (state_.round.phase != round_phase::collecting)
    return true; // a closed round goes on with all that are in it
  const auto winner = in_force(about);
  for (auto& one : all) {
    const auto side =
        std::find_if(sides.begin(), sides.end(), [&](const auto& s) { return s.asks == one.asks; });
    if (!one.asks.empty() && side->organisations.size() < strength_in_force(now))
      step_aside(about, one, one.asks, winner, true);
  }
  return true;
}

void agreement::adopt(question about, const following& winner, bool outvoted) {
  const auto former = in_force(about);
  auto all = voices(about);
  for (auto& one : all)
    if (one.asks.empty()) step_aside(about, one, former, winner.asks, outvoted);
  put_in_force(about, winner.asks);
  state_.counts.backing = 0;
  rounds_.emit(agreement_changed{state_.round.generation, state_.round.min_peers, state_.merge_method(),
                                 state_.layout_digest(),
                                 static_cast<std::uint32_t>(winner.organisations.size())});
  for (auto& one : all)
    if (one.asks == winner.asks) join(one);
}

void agreement::put_in_force(question about, const std::string& asks) {
  if (about == question::layout) {
    state_.set_layout_digest(fixed_from_hex<32>(asks).value());
    return;
  }
  const auto wanted = parse_parameters(asks);
  state_.round.min_peers = static_cast<std::uint16_t>(wanted.min_peers);
  state_.set_merge_method(wanted.method);
}

/// Nobody is a peer of the new generation yet. What is in force in it binds as if those who wanted it were there, so
/// that whoever comes first does not undo it.
void agreement::start_over(question about, const following& winner) {
  rounds_.start_over();
  if (state_.reset_votes().size() > 0) state_.reset_votes().store({});
  if (about == question::parameters) state_.set_layout_digest({});
  put_in_force(about, winner.asks);
  state_.counts.backing = static_cast<std::uint16_t>(winner.organisations.size());
  rounds_.emit(training_reset{state_.round.generation, context_.caller});
  rounds_.emit(agreement_changed{state_.round.generation, state_.round.min_peers, state_.merge_method(),
                                 state_.layout_digest(),
                                 static_cast<std::uint32_t>(winner.organisations.size())});
}

void agreement::step_aside(question about, voice& one, const std::string& wants, const std::string& winner,
                           bool outvoted) {
  const auto why = reason_to_refuse(about, wants, winner);
  const auto weightage = one.peer.in_weightage;
  if (state_.is_in(one.peer)) rounds_.withdraw(one.peer);
  if (one.peer.state == peer_state::odd) end_odd(one.index, one.peer);
  if (!outvoted) {
    if (about == question::layout) { // its model is there, should most organisations want it yet
      one.peer.in_weightage = weightage;
      one.check_in.finishes = one.check_in.finishes || one.peer.has(peer_slot::finished);
      state_.set_check_in(one.index, one.check_in);
    }
    return make_odd(one.index, one.peer, why, wants);
  }
  rounds_.change_state(one.peer, peer_state::left);
  one.check_in.left_because = why;
  state_.set_peer(one.index, one.peer);
  state_.set_check_in(one.index, one.check_in);
  rounds_.emit(peer_left{one.peer.account, state_.round.generation, why});
}

/// An odd peer wants what is in force now. The model that it has brought to the round counts.
void agreement::join(voice& one) {
  auto& [index, peer, check_in, asks] = one;
  const auto weightage = peer.in_weightage;
  end_odd(index, peer);
  const bool brings_model =
      question_of(check_in.left_because) == question::layout && peer.last_round == state_.round.round_num;
  if (brings_model && !rounds_.is_doubted(index, peer)) {
    rounds_.enter(peer, weightage, check_in.finishes);
  } else {
    peer.in_weightage = brings_model ? weightage : peer.in_weightage;
    peer.set(peer_slot::outside, brings_model);
    rounds_.change_state(peer, peer.has(peer_slot::finished) ? peer_state::finished : peer_state::active);
  }
  state_.set_peer(index, peer);
  if (brings_model)
    rounds_.emit(checked_in{peer.account, state_.round.round_num, state_.round.generation,
                            state_.commitment(index), check_in.size, peer.in_weightage, check_in.base_round,
                            check_in.finishes || peer.has(peer_slot::finished)});
}

} // namespace swarm::contracts
