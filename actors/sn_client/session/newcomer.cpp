#include "actors/sn_client/session/session_machine.hpp"

#include <algorithm>

/// A node that knows no network yet believes the first SN which one there is. Before it does, it asks an SN of another
/// organisation: two that lie together are needed to lead it astray.
namespace swarm::session {

using namespace std::chrono_literals;

void session_machine::began_trust() {
  const auto& genesis = trust_->chain()->identity().genesis_hash;
  if (options_.trust->genesis != genesis)
    comparing_.emplace(comparison{sn(), live()->certificate.anchor, {}, {}});
}

void session_machine::ask_others_to_compare(time_point now) {
  ask({{"swarm_apiEndpoints", {}}}, question::others_to_compare{}, now);
}

void session_machine::answer(const question::others_to_compare&, responses& from, time_point now) {
  if (!comparing_ || comparing_->visited) return;
  auto others = choice_.all();
  for (auto& each : texts_of(from[0], sns_told_max).value_or(std::vector<std::string>{}))
    if (sn_choice::is_endpoint(each) && std::ranges::find(others, each) == others.end())
      others.push_back(std::move(each));
  std::erase(others, sn());
  if (others.size() > compared_max) others.resize(compared_max);
  if (others.empty()) {
    if (contradicted_) return stay_outside(now);
    believe_network("no other SN is known");
    return ask_introduction(now);
  }
  comparing_->to_visit = {others.rbegin(), others.rend()};
  visit_next(now);
}

void session_machine::visit_next(time_point now) {
  if (live() != nullptr || std::holds_alternative<connecting>(phase_)) act(action::disconnect{serial_});
  auto& next = comparing_->to_visit;
  if (next.empty()) {
    if (contradicted_) return stay_outside(now);
    believe_network("no SN of another organisation has answered");
    return dial(now);
  }
  comparing_->visited = std::move(next.back());
  next.pop_back();
  phase_ = connecting{now};
  act(action::connect{++serial_, *comparing_->visited});
}

/// The connection is there.
void session_machine::compare(const event::presented& by, time_point now) {
  if (by.anchor == comparing_->anchor) return visit_next(now);
  phase_ = introducing{{{}, now, by}};
  live()->introduced = true;
  ask({{"eth_chainId", {}}, chain_trust(std::nullopt).question(), trust_->question()},
      question::same_network{}, now);
}

void session_machine::answer(const question::same_network&, responses& from, time_point now) {
  const auto chain_id = quantity_of(from[0]);
  chain_trust other(std::nullopt);
  if (!chain_id || !other.take(*chain_id, from[1])) return visit_next(now);
  const bool same = other.genesis() == trust_->genesis();
  if (!same || !trust_->take(*chain_id, from[2])) return contradicted(*other.genesis(), now);
  note(log::level::info, fmt::format("{}, an SN of another organisation than {}, shows the same network",
                                     *comparing_->visited, comparing_->first));
  believe_network({});
  act(action::disconnect{serial_});
  dial(now);
}

/// `alone`: why nobody else was asked.
void session_machine::believe_network(std::string_view alone) {
  const auto& genesis = *trust_->genesis();
  options_.trust->genesis = genesis;
  note(log::level::warning,
       fmt::format("this node belongs to the network whose genesis block is {} from now on, because the SN "
                   "{} says so{}; "
                   "--genesis-hash says it beforehand",
                   to_hex(genesis.view()), comparing_->first,
                   alone.empty() ? ", and one of another organisation" : fmt::format(" alone ({})", alone)));
  comparing_.reset();
  act(action::keep_genesis{genesis});
}

/// From now on no SN is believed alone.
void session_machine::contradicted(const hash32& other, time_point now) {
  contradicted_ = fmt::format("the SN {} shows a network whose genesis block is {}, and {}, an SN of another "
                              "organisation, one with {} or with "
                              "other validators: one of them lies, and --genesis-hash says which is right",
                              comparing_->first, to_hex(trust_->genesis()->view()), *comparing_->visited,
                              to_hex(other.view()));
  note(log::level::error, *contradicted_);
  stay_outside(now);
}

void session_machine::stay_outside(time_point now) {
  comparing_.reset();
  trust_.emplace(std::nullopt);
  give_up(*contradicted_, true, now);
}

} // namespace swarm::session
