#include "actors/sn/membership/machine/membership_machine.hpp"

#include "contracts/training_registry/client.hpp"
#include "ledger/chain/chain_rules.hpp"

#include <algorithm>

namespace swarm::membership {

using namespace std::chrono_literals;

namespace {

constexpr auto look_interval = 1s;
constexpr auto chain_patience = 10s;    ///< then a question to the chain counts as lost
constexpr auto sentinel_patience = 60s; ///< same, to the sentinel
constexpr auto pause_first = 200ms;     ///< between two questions to a sentinel that cannot be reached
constexpr auto pause_longest = 10s;
constexpr std::uint64_t tries_per_line = 10;

bool holds(const std::vector<address>& list, const address& account) {
  return std::find(list.begin(), list.end(), account) != list.end();
}

std::string in_words(const vote& what) {
  return fmt::format("{} {} {} {} the validators", what.discard ? "no longer voting to" : "voting to",
                     what.add ? "add" : "remove", to_hex(what.account.view()), what.add ? "to" : "from");
}

} // namespace

membership_machine::membership_machine(machine_options options)
    : options_(std::move(options)), leaving_(options_.leaving) {}

std::string membership_machine::status() const {
  if (const auto* at = std::get_if<joining>(&phase_))
    return fmt::format("asking the SN {} for the network, {} times without an answer", options_.sentinel,
                       at->pause.attempts());
  const auto* at = std::get_if<running>(&phase_);
  if (at == nullptr) return "waiting for the chain";
  return fmt::format("{}, {} validators, {} SNs connected",
                     leaving_         ? "leaving"
                     : at->registered ? "registered"
                                      : "registering",
                     at->validators, connected_.size());
}

// What is looked at regularly

void membership_machine::step(const start&, time_point now) {
  look_at_chain(now);
}

void membership_machine::step(const timer_fired&, time_point now) {
  if (std::holds_alternative<joining>(phase_)) return ask_sentinel();
  look_at_chain(now);
}

void membership_machine::look_at_chain(time_point now) {
  actions_.emplace_back(action::set_timer{look_interval});
  if (asked_ && now - *asked_ < chain_patience) return;
  asked_ = now;
  asked_with_ = connected_;
  action::read_facts out{++serial_, {}, options_.trainings};
  for (const auto& node : asked_with_)
    out.connected.push_back(node.account);
  actions_.emplace_back(std::move(out));
}

void membership_machine::step(const neighbors_seen& event, time_point) {
  connected_ = event.nodes;
}

void membership_machine::step(const facts_read& event, time_point now) {
  if (!asked_ || event.serial != serial_) return; // read before what was sent since
  asked_.reset();
  if (std::holds_alternative<joining>(phase_)) return;
  if (event.facts) return look_after(*event.facts, now);
  actions_.emplace_back(
      action::say{"cannot read the members of the chain: " + event.facts.error().message, true});
  answer_leave(tl::unexpected(event.facts.error()));
}

void membership_machine::look_after(const chain_facts& facts, time_point now) {
  block_num_ = facts.block_num;
  phase_ = running{facts.validators.size(), facts.self && facts.self->active};
  dial_nodes(facts);
  const auto absent = absent_members(facts, now);
  if (leave(facts) || facts.pending || introduce_self(facts)) return;
  vote(facts, absent);
}

void membership_machine::dial_nodes(const chain_facts& facts) {
  action::dial out;
  for (const auto& node : facts.nodes)
    if (node.type == contracts::node_type::sn && node.active && !node.endpoint.empty())
      out.endpoints.push_back(node.endpoint);
  actions_.emplace_back(std::move(out));
}

bool membership_machine::introduce_self(const chain_facts& facts) {
  if (leaving_) return false;
  const auto before = actions_.size();
  const auto& known = facts.self;
  if (!known || !known->active || known->cert_fingerprint != options_.cert_fingerprint
      || known->endpoint != options_.endpoint || known->name != options_.node_name)
    actions_.emplace_back(action::submit{purpose::registration, contracts::node_registry_address(),
                                         contracts::encode_register_node({contracts::node_type::sn,
                                                                          options_.cert_fingerprint,
                                                                          {},
                                                                          options_.node_name,
                                                                          options_.endpoint})});
  for (const auto& name : facts.trainings_wanted) {
    actions_.emplace_back(action::say{fmt::format("making the training contract '{}'", name)});
    actions_.emplace_back(action::submit{purpose::training, contracts::training_registry_address(),
                                         contracts::encode_create_training(name)});
  }
  return actions_.size() > before;
}

// Votes

std::map<address, duration> membership_machine::absent_members(const chain_facts& facts, time_point now) {
  for (const auto& node : asked_with_)
    last_seen_[node.account] = now;
  std::erase_if(last_seen_, [&](const auto& one) { return !holds(facts.members, one.first); });
  std::map<address, duration> out;
  for (const auto& member : facts.members)
    out[member] = now - last_seen_.try_emplace(member, now).first->second;
  return out;
}

void membership_machine::vote(const chain_facts& facts, std::map<address, duration> absent) {
  const auto next = next_vote({.self = options_.self,
                               .validators = facts.validators,
                               .members = facts.members,
                               .nodes = facts.nodes,
                               .connected = asked_with_,
                               .absent = std::move(absent),
                               .voted_on = facts.voted_on});
  if (!next) return;
  actions_.emplace_back(action::say{in_words(*next)});
  actions_.emplace_back(
      action::submit{purpose::vote, contracts::node_registry_address(),
                     next->discard ? contracts::encode_discard_validator_vote(next->account)
                                   : contracts::encode_propose_validator_vote(next->account, next->add)});
}

// Leaving

void membership_machine::step(const leave_wanted&, time_point now) {
  leave_wanted_ = true;
  if (std::holds_alternative<joining>(phase_))
    return answer_leave(fail(errc::unavailable, "this SN has no chain yet, it is asking the sentinel"));
  if (!asked_) look_at_chain(now);
}

bool membership_machine::leave(const chain_facts& facts) {
  if (!leave_wanted_) return false;
  const bool active = facts.self && facts.self->active;
  if (active && !facts.pending) {
    actions_.emplace_back(action::submit{purpose::leave, contracts::node_registry_address(),
                                         contracts::encode_leave_node(), true});
    leaving_ = true;
    return true;
  }
  const bool left = leaving_ && !active && !facts.pending && !holds(facts.validators, options_.self);
  leaving_ = true;
  answer_leave(
      action::answer_leave::progress{left, left && facts.self ? facts.self->since_block : facts.block_num});
  return false;
}

void membership_machine::step(const submitted& event, time_point) {
  if (event.what != purpose::leave) {
    if (!event.outcome) actions_.emplace_back(action::say{event.outcome.error().message, true});
    return;
  }
  leaving_ = event.outcome.has_value();
  if (!event.outcome && event.outcome.error().is(errc::denied))
    return answer_leave(fail(errc::denied, "this SN cannot leave: {}", event.outcome.error().message));
  if (!event.outcome) return answer_leave(tl::unexpected(event.outcome.error()));
  actions_.emplace_back(action::say{"leaving the network, as the operator wishes"});
  answer_leave(action::answer_leave::progress{false, block_num_});
}

void membership_machine::answer_leave(result<action::answer_leave::progress> outcome) {
  if (std::exchange(leave_wanted_, false)) actions_.emplace_back(action::answer_leave{std::move(outcome)});
}

// Joining

void membership_machine::step(const no_chain&, time_point) {
  asked_.reset();
  if (!std::holds_alternative<starting>(phase_)) return;
  phase_ = joining{back_off(pause_first, pause_longest, options_.seed)};
  answer_leave(fail(errc::unavailable, "this SN has no chain yet, it is asking the sentinel"));
  ask_sentinel();
}

void membership_machine::ask_sentinel() {
  actions_.emplace_back(action::set_timer{sentinel_patience});
  actions_.emplace_back(action::ask_sentinel{});
}

void membership_machine::step(const entry_found& event, time_point now) {
  auto* at = std::get_if<joining>(&phase_);
  if (at == nullptr) return;
  if (!event.entry && event.entry.error().is(ledger::chain_errc::other_version)) {
    actions_.emplace_back(action::give_up{fmt::format("the SN {}: {}; run the same version on both",
                                                      options_.sentinel, event.entry.error().message)});
    return;
  }
  if (!event.entry) {
    if (at->pause.attempts() % tries_per_line == 0)
      actions_.emplace_back(
          action::say{fmt::format("Unable to contact API-Server {}: {}; trying again until it answers",
                                  options_.sentinel, event.entry.error().message),
                      true});
    actions_.emplace_back(action::set_timer{at->pause.next()});
    return;
  }
  const auto& entry = *event.entry;
  if (entry.genesis_hash != entry.own_genesis_hash) {
    actions_.emplace_back(action::give_up{fmt::format(
        "the SN {} has a chain with genesis {}, this swarmd makes "
        "{} of its parameters: the contracts differ; run "
        "the same version on both",
        options_.sentinel, to_hex(entry.genesis_hash.view()), to_hex(entry.own_genesis_hash.view()))});
    return;
  }
  phase_ = starting{};
  actions_.emplace_back(action::open_chain{entry.genesis});
  actions_.emplace_back(action::dial{entry.p2p_endpoints});
  look_at_chain(now);
}

} // namespace swarm::membership
